// Batches of an evaluation on the device(s).

import { catalogue } from '../../core/errors';
import { batchParts, batchSharding, type Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import type { OpenedInput } from '../../core/train/run';

const errors = catalogue('eval', {
  batchSize: (v: { name: string; batch_size: number; devices: number }) => ({
    what: `evals.${v.name}.batch_size is ${v.batch_size}, which doesn't divide over ${v.devices} devices.`,
    fix: `set it to ${Math.ceil(v.batch_size / v.devices) * v.devices}: what is missing in the last batch is masked.`,
  }),
});

export function checkBatchSize(name: string, batch_size: number, runtime: Runtime): void {
  const devices = batchParts(runtime.mesh);
  if (batch_size % devices !== 0) throw errors.batchSize({ name, batch_size, devices });
}

/** How many batches may wait for the device, which has no other way to hold back who feeds it. */
const maxWaiting = 8;

/**
 * Calls `use` with each batch of one pass, sharded like those of training; its tensors are disposed after that. What it
 * returns is what the host does with the results: it is waited for now and then. `batches`: no more than so many.
 */
export async function forEachBatch(
  runtime: Runtime,
  input: OpenedInput,
  use: (batch: Record<string, tf.Tensor>) => void | Promise<void>,
  batches = Infinity,
): Promise<void> {
  const sharding = batchSharding(runtime.mesh);
  const stream = input.batches(0);
  try {
    for (let waiting = 1; waiting <= batches; waiting++) {
      const host = await stream.next();
      if (!host) return;
      const batch = Object.fromEntries(
        Object.entries(host).map(([name, array]) => [name, runtime.toDevice(array, sharding)]),
      );
      stream.release?.(host);
      let results;
      try {
        results = use(batch);
      } finally {
        tf.dispose(Object.values(batch));
      }
      if (waiting % maxWaiting !== 0) continue;
      await results;
      await runtime.idle();
    }
  } finally {
    await stream.close();
  }
}
