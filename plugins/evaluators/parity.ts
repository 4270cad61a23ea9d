// Runs recorded cases of evaluators. What the original calls the model is the identity, unless `args.model` names one.

import { type HostArray, hostArray, sizeOf } from '../../core/array';
import type { Batch, Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import type { ParityRunner, ParityServices } from '../../core/parity/case';
import { arraysBeside, arraysUnder } from '../../core/parity/read';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import type * as tf from '../../core/tensor';
import { sumsOf } from './classification';

/** Predicts the logits that are recorded in the batch. */
const recordedLogits: PredictFn = (_, { logits }) => ({ output: logits, out: {} });

function predictOf(args: Readonly<Record<string, unknown>>, services: ParityServices): PredictFn {
  if (args.model === undefined) return recordedLogits;
  const { registry, container } = services;
  const model = registry.create(container, 'model', args.model as string, args.model_args, 'args.model');
  return (params: Params, batch: Batch) => model.apply(Scope.reading(params), batch, { train: false });
}

export const evaluatorRunners: Readonly<Record<string, ParityRunner>> = {
  'evaluator classification': async ({ args, inputs, wanted }, services) => {
    const { registry, container, runtime, serve } = services;
    const { loss_name, batch_size } = args as { loss_name: string; batch_size: number };
    const predict = predictOf(args, services);
    const params = sendAll(runtime, arraysUnder(inputs, 'params'));
    const metricsOf = async (arrays: ReadonlyMap<string, HostArray>) => {
      const data = serve(arrays);
      const create = registry.create(container, 'evaluator', 'classification', { data, loss_name }, 'args');
      const evaluator = await create({ name: 'parity', predict, predictFns: { predict }, batch_size });
      const metrics: Record<string, number> = {};
      for await (const [name, value] of evaluator.run(params, 0)) metrics[name] = value;
      return metrics;
    };
    const arrays = arraysBeside(inputs, 'params');
    const found = new Map<string, HostArray>();
    for (const [name, value] of Object.entries(await metricsOf(arrays)))
      found.set(name, hostArray('float32', [], [value]));
    if (!wanted.has('batch/ncorrect')) return found;
    const loss = registry.create(container, 'loss', loss_name, {}, 'args.loss_name');
    const sums = runtime.jit(
      (given: Params, { labels, _mask, ...batch }: Batch) =>
        sumsOf(predict(given, batch).output as tf.Tensor, labels as tf.Tensor, _mask as tf.Tensor, loss),
      { name: 'parity classification' },
    );
    const batches = [];
    for (const batch of batchesOf(withMask(arrays), batch_size))
      batches.push(await fetchAll(runtime, sums(params, sendAll(runtime, batch) as Batch)));
    for (const name of ['ncorrect', 'loss', 'nseen']) {
      const values = batches.map((batch) => batch.get(name)?.data[0] as number);
      found.set(`batch/${name}`, hostArray('float32', [values.length], values));
    }
    return found;
  },
};

function withMask(arrays: ReadonlyMap<string, HostArray>): ReadonlyMap<string, HostArray> {
  const [first] = arrays.values();
  const size = first?.shape[0] ?? 0;
  return new Map([['_mask', hostArray('float32', [size], new Float32Array(size).fill(1))], ...arrays]);
}

/** Consecutive parts of all arrays along their first axis. */
function batchesOf(arrays: ReadonlyMap<string, HostArray>, size: number): Record<string, HostArray>[] {
  const [first] = arrays.values();
  const rows = first?.shape[0] ?? 0;
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) =>
    Object.fromEntries(
      [...arrays].map(([name, { dtype, shape, data }]) => {
        const each = sizeOf(shape.slice(1));
        const part = data.slice(i * size * each, (i + 1) * size * each);
        return [name, hostArray(dtype, [part.length / each, ...shape.slice(1)], part)];
      }),
    ),
  );
}
