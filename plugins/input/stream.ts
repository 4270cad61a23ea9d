// Batches in order, made ahead of who takes them.

import type { BatchStream, HostBatch } from '../../core/train/run';

export interface StreamOptions {
  /** The first batch. */
  readonly position: number;
  /** How many there are in all; undefined for no end. */
  readonly total?: number;
  /** Batches on their way or waiting at any time. */
  readonly prefetch: number;
  make(position: number): Promise<HostBatch>;
  release(batch: HostBatch): void;
  /** Called when no batch is wanted any more. */
  onClose(): void;
}

export class Stream implements BatchStream {
  private readonly coming: Promise<HostBatch>[] = [];
  private readonly unfinished = new Set<Promise<unknown>>();
  private position: number;
  private closed = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: StreamOptions) {
    this.position = options.position;
    this.startMore();
  }

  async next(): Promise<HostBatch | undefined> {
    if (this.failure) throw this.failure.error;
    const batch = this.coming.shift();
    if (!batch) return undefined;
    // Before it is there, so that threads that are done with their share of it go on with the next.
    this.startMore();
    try {
      return await batch;
    } catch (error) {
      this.failure ??= { error };
      this.stop();
      throw this.failure.error;
    }
  }

  release(batch: HostBatch): void {
    this.options.release(batch);
  }

  /** Resolves when nothing is being made any more. */
  async close(): Promise<void> {
    this.stop();
    this.coming.length = 0;
    await Promise.allSettled(this.unfinished);
  }

  private stop(): void {
    this.closed = true;
    this.options.onClose();
  }

  private startMore(): void {
    const { total = Infinity, prefetch, make } = this.options;
    while (!this.closed && this.coming.length < prefetch && this.position < total) {
      const batch = make(this.position++);
      // A failure is told when its batch is asked for, not as an unhandled rejection before.
      batch.catch(() => undefined);
      this.unfinished.add(batch);
      void batch.finally(() => this.unfinished.delete(batch)).catch(() => undefined);
      this.coming.push(batch);
    }
  }
}
