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
import { Mixture } from './mixture';
import { Order } from './order';
import { exampleRng } from './rng';

/** A source with its preprocessing, as plain data. */
export interface SourceRecipe {
  readonly data: { readonly name: string; readonly [option: string]: unknown };
  readonly pp: string;
  /** Of the examples, beside those of the other sources. */
  readonly share: number;
  readonly where: { readonly data: string; readonly pp: string };
}

/** All that determines the examples and their order, as plain data. */
export interface Recipe {
  readonly sources: readonly SourceRecipe[];
  readonly seed: number;
  readonly shuffle: boolean;
  /** Adds `_mask`, and carries `_id` over. */
  readonly evaluation: boolean;
}

/** The examples of one source, or of several that are mixed. */
export class Examples {
  /** Of one epoch of every source. */
  readonly size: number;
  private readonly mixture: Mixture | undefined;

  private constructor(
    readonly recipe: Recipe,
    private readonly sources: readonly SourceExamples[],
  ) {
    this.size = sources.reduce((sum, { source }) => sum + source.size, 0);
    if (sources.length > 1) {
      const shares = recipe.sources.map(({ share }) => share);
      // A seed of its own, as each source has.
      this.mixture = new Mixture(shares, recipe.seed + sources.length * 2 ** 32);
    }
  }

  static async open(recipe: Recipe, registry: Registry, container: Container): Promise<Examples> {
    const open = (i: number) => SourceExamples.open(recipe, i, registry, container);
    return new Examples(recipe, await Promise.all(recipe.sources.map((_, i) => open(i))));
  }

  /** Names of the classes, where there is one source that has any. */
  get classes(): readonly string[] | undefined {
    return this.mixture ? undefined : this.sources[0]?.source.classes;
  }

  /** A plain result where nothing had to be awaited: a promise for each example would cost more than cheap ops. */
  at(position: number): ExampleArrays | Promise<ExampleArrays> {
    const [source, own] = this.find(position);
    return source.at(own);
  }

  /** The place in its source of the example at a position. */
  indexAt(position: number): number {
    const [source, own] = this.find(position);
    return source.order.at(own).index;
  }

  /** What the preprocessing of the example at a position is. */
  ppAt(position: number): string {
    return this.find(position)[0].recipe.pp;
  }

  /** An example of each source as it is before preprocessing. */
  raws(): Promise<Example[]> {
    return Promise.all(this.sources.map(async ({ source, order }) => source.get(order.at(0).index)));
  }

  private find(position: number): readonly [source: SourceExamples, position: number] {
    if (!this.mixture) return [this.sources[0] as SourceExamples, position];
    const dealt = this.mixture.at(position);
    return [this.sources[dealt.source] as SourceExamples, dealt.position];
  }
}

class SourceExamples {
  readonly order: Order;

  private constructor(
    readonly source: DataSource,
    readonly recipe: SourceRecipe,
    readonly seed: number,
    readonly evaluation: boolean,
    shuffle: boolean,
    private readonly ops: readonly { readonly name: string; readonly made: PpOp }[],
  ) {
    this.order = new Order(source.size, seed, shuffle);
  }

  static async open(
    { sources, seed, shuffle, evaluation }: Recipe,
    i: number,
    registry: Registry,
    container: Container,
  ): Promise<SourceExamples> {
    const recipe = sources[i] as SourceRecipe;
    const { name, ...options } = recipe.data;
    const { where } = recipe;
    const ops = createCalls(recipe.pp, registry, container, 'pp', where.pp);
    const source = await registry.create(container, 'data', name, options, where.data);
    if (source.size === 0) throw errors.empty({ source: name, where: where.data });
    // The same data may be mixed with itself: each source has an order and random numbers of its own.
    return new SourceExamples(source, recipe, seed + i * 2 ** 32, evaluation, shuffle, ops);
  }

  at(position: number): ExampleArrays | Promise<ExampleArrays> {
    const { epoch, index } = this.order.at(position);
    const run = new Preprocessing(this, epoch, index);
    return run.start();
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
    private readonly examples: SourceExamples,
    epoch: number,
    private readonly index: number,
  ) {
    this.rng = exampleRng(examples.seed, epoch, index);
  }

  start(): ExampleArrays | Promise<ExampleArrays> {
    const failed = (error: unknown) => this.failure(error, "can't be read");
    const go = (raw: Example) => this.run((this.raw = raw));
    let raw: Example | Promise<Example>;
    try {
      raw = this.examples.source.get(this.index);
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
    const { recipe, evaluation } = this.examples;
    const arrays = arraysOf(example, recipe.pp);
    if (!evaluation) return arrays;
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
