// One preprocessed example by its place in the order: what the main thread and every worker do alike.

import { isPromise } from 'node:util/types';
import { allocate } from '../../core/array';
import { createCalls } from '../../core/call-string';
import type { Container } from '../../core/container';
import { describeThrown, withCause } from '../../core/describe-error';
import { UserError } from '../../core/errors';
import type { DataSource, Example, PpOp, Registry } from '../../core/extensions';
import { arraysOf, type ExampleArrays } from './arrays';
import { errors } from './errors';
import { Order } from './order';
import { exampleRng } from './rng';

/** All that determines the examples and their order, as plain data. */
export interface Recipe {
  readonly data: { readonly name: string; readonly [option: string]: unknown };
  readonly pp: string;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Adds `_mask`, and carries `_id` over. */
  readonly evaluation: boolean;
  readonly where: { readonly data: string; readonly pp: string };
}

export class Examples {
  readonly order: Order;

  private constructor(
    readonly source: DataSource,
    readonly recipe: Recipe,
    private readonly ops: readonly { readonly name: string; readonly made: PpOp }[],
  ) {
    this.order = new Order(source.size, recipe.seed, recipe.shuffle);
  }

  static async open(recipe: Recipe, registry: Registry, container: Container): Promise<Examples> {
    const { name, ...options } = recipe.data;
    const { where } = recipe;
    const ops = createCalls(recipe.pp, registry, container, 'pp', where.pp);
    const source = await registry.create(container, 'data', name, options, where.data);
    if (source.size === 0) throw errors.empty({ source: name, where: where.data });
    return new Examples(source, recipe, ops);
  }

  /** A plain result where nothing had to be awaited: a promise for each example would cost more than cheap ops. */
  at(position: number): ExampleArrays | Promise<ExampleArrays> {
    const { epoch, index } = this.order.at(position);
    const run = new Preprocessing(this, epoch, index);
    return run.start();
  }

  raw(index: number): Example | Promise<Example> {
    return this.source.get(index);
  }

  op(i: number): { readonly name: string; readonly made: PpOp } | undefined {
    return this.ops[i];
  }
}

/** The way of one example through the ops. */
class Preprocessing {
  private raw: Example | undefined;
  private next = 0;
  private readonly rng;

  constructor(
    private readonly examples: Examples,
    epoch: number,
    private readonly index: number,
  ) {
    this.rng = exampleRng(examples.recipe.seed, epoch, index);
  }

  start(): ExampleArrays | Promise<ExampleArrays> {
    const failed = (error: unknown) => this.failure(error, "can't be read");
    const go = (raw: Example) => this.run((this.raw = raw));
    let raw: Example | Promise<Example>;
    try {
      raw = this.examples.raw(this.index);
    } catch (error) {
      return failed(error);
    }
    return isPromise(raw) ? raw.then(go, failed) : go(raw);
  }

  private run(from: Example): ExampleArrays | Promise<ExampleArrays> {
    let example = from;
    for (let op = this.examples.op(this.next); op; op = this.examples.op(this.next)) {
      this.next++;
      const { name } = op;
      const failed = (error: unknown) => this.failure(error, `fails in ${name}`);
      let result: Example | Promise<Example>;
      try {
        result = op.made(example, this.rng);
      } catch (error) {
        return failed(error);
      }
      if (isPromise(result)) return result.then((value) => this.run(value), failed);
      example = result;
    }
    return this.finish(example);
  }

  private finish(example: Example): ExampleArrays {
    const { recipe } = this.examples;
    const arrays = arraysOf(example, recipe.pp);
    if (!recipe.evaluation) return arrays;
    const mask = allocate('float32', []);
    mask.data[0] = arrays._mask?.data[0] ?? 1;
    arrays._mask = mask;
    const id = this.raw?._id;
    if (id !== undefined && typeof id !== 'string' && arrays._id === undefined) {
      Object.assign(arrays, arraysOf({ _id: id }, recipe.pp));
    }
    return arrays;
  }

  private failure(error: unknown, place: string): never {
    const { index } = this;
    const source = this.examples.recipe.data.name;
    const filename = this.raw?.filename;
    const name = typeof filename === 'string' ? filename : undefined;
    const user = error instanceof UserError;
    throw withCause(
      errors.example({
        index,
        source,
        name,
        place,
        what: user ? error.what : describeThrown(error),
        fix: user ? error.fix : 'correct the op or the data; --debug shows the stack trace.',
      }),
      error,
    );
  }
}
