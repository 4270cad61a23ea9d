// The input pipeline: data sources, preprocessing and batches, in this thread or in workers. The order of examples and their
// random numbers depend on the seed and the position alone.

import { availableParallelism } from 'node:os';
import type { Rows } from '../../core/blocks';
import { sourcesOf } from '../../core/config/sources';
import type { Container } from '../../core/container';
import type { Example, Registry } from '../../core/extensions';
import { TensorSpec } from '../../core/runtime';
import {
  type BatchStream,
  type HostBatch,
  type InputPipeline,
  type OpenedInput,
  tokens,
} from '../../core/train/run';
import { BatchMemory, clearFrom, type First, specOf } from './arrays';
import { Examples, type Recipe } from './examples';
import { fill } from './fill';
import { Stream } from './stream';
import { type WorkerFiller, Workers } from './workers';

interface Options {
  readonly batch_size: number;
  readonly prefetch: number;
  readonly workers?: number;
  /** Of each batch, what is made; all of it otherwise. */
  readonly rows?: Rows;
}

const evaluationPrefetch = 2;

export function createPipeline(registry: Registry, container: Container): InputPipeline {
  const workers = new Workers(() => container.get(tokens.root));
  const open = async (recipe: Recipe, options: Options) =>
    Input.open(await Examples.open(recipe, registry, container), workers, options);
  return {
    train: (input, seed, rows) => {
      const { shuffle, batch_size, prefetch, workers } = input;
      const sources = sourcesOf(input).map(({ where, ...source }) => ({
        ...source,
        where: { data: `${where}.data`, pp: `${where}.pp` },
      }));
      return open({ sources, seed, shuffle, evaluation: false }, { batch_size, prefetch, workers, rows });
    },
    evaluate: ({ data, pp, batch_size, workers, rows, where = { data: 'data', pp: 'pp' } }) =>
      open(
        { sources: [{ data, pp, share: 1, where }], seed: 0, shuffle: false, evaluation: true },
        { batch_size, prefetch: evaluationPrefetch, workers, rows },
      ),
  };
}

/** Decoding files is worth threads; what is in memory already is made faster than handed over. */
function defaultWorkers(raws: readonly Example[]): number {
  const encoded = raws.some((raw) => Object.values(raw).some((value) => value instanceof Uint8Array));
  return encoded ? Math.max(1, Math.min(8, availableParallelism() - 1)) : 0;
}

class Input implements OpenedInput {
  readonly examples: number;
  readonly classes;
  readonly spec: OpenedInput['spec'];
  private readonly memory: BatchMemory;
  private readonly rows: Rows;
  private readonly streams = new Set<BatchStream>();
  /** One batch at a time in this thread, so that the first is ready first. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly made: Examples,
    private readonly first: First,
    private readonly options: Options,
    private readonly filler: WorkerFiller | undefined,
  ) {
    const { batch_size, rows = { start: 0, end: batch_size } } = options;
    this.rows = rows;
    this.examples = made.size;
    this.classes = made.classes;
    this.spec = Object.fromEntries(
      Object.entries(first.spec).map(([name, { dtype, shape }]) => [
        name,
        new TensorSpec(dtype, [batch_size, ...shape]),
      ]),
    );
    this.memory = new BatchMemory(first.spec, rows.end - rows.start, filler !== undefined);
  }

  static async open(made: Examples, workers: Workers, options: Options): Promise<Input> {
    const first: First = { spec: specOf(await made.at(0), made.ppAt(0)), index: made.indexAt(0) };
    const count = options.workers ?? defaultWorkers(await made.raws());
    const filler = count > 0 ? workers.open(count, made.recipe, first) : undefined;
    return new Input(made, first, options, filler);
  }

  batches(position: number): BatchStream {
    const { batch_size, prefetch } = this.options;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const stream = new Stream({
      position,
      total: this.made.recipe.evaluation ? Math.ceil(this.examples / batch_size) : undefined,
      prefetch,
      make: (batch) => this.make(batch, stop),
      release: (batch) => this.memory.giveBack(batch),
      onClose: () => {
        Atomics.store(stop, 0, 1);
        this.streams.delete(stream);
        // Between evaluations the memory is of more use elsewhere.
        if (this.streams.size === 0) this.memory.clear();
      },
    });
    this.streams.add(stream);
    return stream;
  }

  async close(): Promise<void> {
    await Promise.all([...this.streams].map((stream) => stream.close()));
    await this.filler?.close();
  }

  private async make(number: number, stop: Int32Array): Promise<HostBatch> {
    const { start, end } = this.rows;
    const position = number * this.options.batch_size + start;
    const left = this.made.recipe.evaluation ? this.examples - position : Infinity;
    // In the last batch of an evaluation all of a process's rows may be padding.
    const count = Math.max(0, Math.min(end - start, left));
    const batch = this.memory.take();
    if (count < end - start) clearFrom(batch, count);
    await this.fill(batch, position, count, stop);
    return batch;
  }

  private fill(batch: HostBatch, position: number, count: number, stop: Int32Array): Promise<void> {
    if (this.filler) return this.filler.fill(batch, position, count, stop);
    const part = { batch, position, slot: 0, count };
    const filled = this.turn.then(() => fill(this.made, this.first, part, () => stop[0] !== 0));
    this.turn = filled.catch(() => undefined);
    return filled;
  }
}
