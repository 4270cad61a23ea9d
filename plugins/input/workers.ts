// Worker threads that fill parts of batches. They load the workspace's plugins by themselves, and share the memory of the
// batches with this thread, so that only positions and errors travel.

import path from 'node:path';
import type Piscina from 'piscina';
import type { HostBatch } from '../../core/train/run';
import type { First } from './arrays';
import { errors, fromMessage, type ErrorMessage } from './errors';
import type { Recipe } from './examples';
import type { PartTask, WorkerData } from './worker';

/** Small enough that the threads finish a batch at about the same time. */
const partsPerWorker = 4;

class Crew {
  users = 0;

  constructor(
    readonly size: number,
    private readonly pool: Piscina,
  ) {}

  /** Fills a batch's first `count` slots. */
  async fill(task: Omit<PartTask, 'slot' | 'count'>, count: number): Promise<void> {
    const length = Math.ceil(count / (this.size * partsPerWorker));
    const parts: Promise<ErrorMessage | undefined>[] = [];
    for (let slot = 0; slot < count; slot += length) {
      const part = { ...task, position: task.position + slot, slot, count: Math.min(length, count - slot) };
      parts.push(this.pool.run(part) as Promise<ErrorMessage | undefined>);
    }
    // All of them: a batch is over only when nobody writes to it any more.
    for (const result of await Promise.allSettled(parts)) {
      if (result.status === 'rejected')
        throw errors.workerCrashed({ reason: (result.reason as Error).message });
      if (result.value) throw fromMessage(result.value);
    }
  }

  destroy(): Promise<void> {
    return this.pool.destroy();
  }
}

/** Crews by their size, each shared by all inputs that asked for that many workers. */
export class Workers {
  private readonly crews = new Map<number, Crew>();

  constructor(private readonly root: () => string) {}

  open(size: number, recipe: Recipe, first: First): WorkerFiller {
    let crew = this.crews.get(size);
    if (!crew) {
      crew = new Crew(size, this.start(size));
      this.crews.set(size, crew);
    }
    crew.users++;
    const close = async () => {
      if (--crew.users > 0) return;
      this.crews.delete(size);
      await crew.destroy();
    };
    return new WorkerFiller(crew, recipe, first, close);
  }

  private start(size: number): Piscina {
    // Only runs with workers pay for loading the library.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { Piscina } = require('piscina') as { Piscina: new (options: object) => Piscina };
    const data: WorkerData = { root: this.root() };
    const pool = new Piscina({
      filename: path.join(__dirname, 'worker.js'),
      workerData: data,
      minThreads: size,
      maxThreads: size,
      // A waiting thread must turn its event loop, since its examples may be on their way in libuv's threads.
      atomics: 'disabled',
    });
    // A thread that dies between two parts is missed by none of them; the next part gets a new thread.
    pool.on('error', () => undefined);
    return pool;
  }
}

export class WorkerFiller {
  private readonly id: string;

  constructor(
    private readonly crew: Crew,
    private readonly recipe: Recipe,
    private readonly first: First,
    private readonly release: () => Promise<void>,
  ) {
    this.id = JSON.stringify(recipe);
  }

  async fill(batch: HostBatch, position: number, count: number, stop: Int32Array): Promise<void> {
    const { id, recipe, first } = this;
    const arrays = Object.fromEntries(
      Object.entries(batch).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }]),
    );
    await this.crew.fill({ id, recipe, first, position, batch: arrays, stop }, count);
  }

  close(): Promise<void> {
    return this.release();
  }
}
