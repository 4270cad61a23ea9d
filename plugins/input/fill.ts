// Fills slots of a batch with examples, several of them on their way at once.

import { isPromise } from 'node:util/types';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HostBatch } from '../../core/train/run';
import { type First, writeExample } from './arrays';
import type { Examples } from './examples';

/** `count` examples from a position of the order on, to the slots from `slot` on. */
export interface Part {
  readonly batch: HostBatch;
  readonly position: number;
  readonly slot: number;
  readonly count: number;
}

/** Enough to keep libuv's threads, which read and decode, busy. */
const lanes = 8;

/** How long examples may be made without letting other work of the thread run. */
const turnMs = 8;

export async function fill(
  examples: Examples,
  first: First,
  { batch, position, slot, count }: Part,
  stopped: () => boolean,
): Promise<void> {
  let next = 0;
  let failed = false;
  let turn = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count && !failed && !stopped()) {
      const i = next++;
      const made = examples.at(position + i);
      const arrays = isPromise(made) ? await made : made;
      writeExample(arrays, batch, slot + i, first, () => examples.indexAt(position + i));
      if (performance.now() - turn > turnMs) {
        await nextTurn();
        turn = performance.now();
      }
    }
  };
  const all = Array.from({ length: Math.min(lanes, count) }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  // The first failure is the one to report, but only when no lane writes to the batch any more.
  const results = await Promise.allSettled(all);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
