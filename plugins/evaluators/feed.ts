// Batches of an evaluation on the device(s). Of several processes each makes and sends the rows of its own devices, as in
// training. All of them have the same number of batches, since together they go through their programs.

import { z } from 'zod';
import { dataSchema } from '../../core/config/schema';
import { catalogue } from '../../core/errors';
import type { EvaluatorContext } from '../../core/extensions';
import { batchParts, batchSharding, type Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import type { InputPipeline, OpenedInput } from '../../core/train/run';

const errors = catalogue('eval', {
  batchSize: (v: { name: string; batch_size: number; devices: number }) => ({
    what: `evals.${v.name}.batch_size is ${v.batch_size}, which doesn't divide over ${v.devices} devices.`,
    fix: `set it to ${Math.ceil(v.batch_size / v.devices) * v.devices}: what is missing in the last batch is masked.`,
  }),
});

/** The options of evaluators that go over one data set. */
export const passOptions = {
  data: dataSchema,
  pp_fn: z.string().default('').describe('preprocessing, as "op(args)|op(args)": see `bv list ops`'),
  workers: z.int().min(0).optional().describe('worker threads for preprocessing'),
};
export const passSchema = z.strictObject(passOptions);
export type PassOptions = z.output<typeof passSchema>;

export interface PassServices {
  readonly runtime: Runtime;
  readonly pipeline: InputPipeline;
}

/** The pass that an evaluator makes over its data, opened: this process's rows of each batch. */
export function openPass(
  { data, pp_fn, workers }: PassOptions,
  { name, batch_size }: Pick<EvaluatorContext, 'name' | 'batch_size'>,
  { runtime, pipeline }: PassServices,
): Promise<OpenedInput> {
  const devices = batchParts(runtime.mesh);
  if (batch_size % devices !== 0) throw errors.batchSize({ name, batch_size, devices });
  const rows = runtime.rowsHere(batch_size, batchSharding(runtime.mesh));
  const where = { data: `evals.${name}.data`, pp: `evals.${name}.pp_fn` };
  return pipeline.evaluate({ data, pp: pp_fn, batch_size, workers, rows, where });
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
  const rowsOf = (name: string) => input.spec[name]!.shape[0] as number;
  const stream = input.batches(0);
  try {
    for (let waiting = 1; waiting <= batches; waiting++) {
      const host = await stream.next();
      if (!host) return;
      const batch = Object.fromEntries(
        Object.entries(host).map(([name, array]) => [
          name,
          runtime.rowsToDevice(array, rowsOf(name), sharding),
        ]),
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
