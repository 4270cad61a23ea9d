// Runs recorded cases of evaluators. What the original calls the model is the identity, unless `args.model` names one.

import { type HostArray, hostArray, sizeOf } from '../../core/array';
import type { Batch, Evaluator, Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import type { ParityRunner, ParityServices } from '../../core/parity/case';
import { arraysBeside, arraysUnder } from '../../core/parity/read';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import * as tf from '../../core/tensor';
import { sumsOf } from './classification';
import { predictRidge, scorer, scoresOf } from './fewshot';
import { fitRidge } from './ridge';
import { countedRows, padRows, rowsOf } from './rows';

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

  'evaluator mean': async ({ args, inputs }, { registry, container, serve }) => {
    // The pipeline masks padding alone: what else the case masks becomes padding.
    const { _mask, ...values } = Object.fromEntries(inputs);
    const kept = countedRows(_mask as HostArray);
    const data = serve(new Map(Object.entries(values).map(([name, array]) => [name, rowsOf(array, kept)])));
    const predict: PredictFn = (_, { _mask: padding, ...batch }) => ({
      // Not a number where the case has padding, which must not leak.
      output: Object.fromEntries(
        Object.entries(batch).map(([name, x]) => [
          name,
          tf.where(tf.greater(padding as tf.Tensor, 0), x, NaN),
        ]),
      ),
      out: {},
    });
    const create = registry.create(container, 'evaluator', 'mean', { data }, 'args');
    const batch_size = args.batch_size as number;
    return metricsOf(await create({ name: 'parity', predict, predictFns: {}, batch_size }));
  },

  'evaluator utils:pad_shard_unpad': async ({ args, inputs }, { runtime }) => {
    const { devices, min_device_batch } = args as { devices: number; min_device_batch?: number | null };
    const x = inputs.get('x') as HostArray;
    const [rows, ...rest] = x.shape as [number, ...number[]];
    const each = Math.max(Math.ceil(rows / devices), min_device_batch ?? 0);
    const double = runtime.jit((x: tf.Tensor) => tf.mul(x, 2), { name: 'parity padded' });
    const padded = await runtime.toHost(double(runtime.toDevice(padRows(x, each * devices))));
    const kept = Array.from({ length: rows }, (_, i) => i);
    return new Map<string, HostArray>([
      ['output', rowsOf(padded, kept)],
      ['padded_shape', hostArray('int32', [rest.length + 2], [devices, each, ...rest])],
    ]);
  },

  'evaluator fewshot_lsr': async ({ args, inputs }, { runtime }) => {
    const { l2_reg, num_classes } = args as { l2_reg: number; num_classes: number };
    const [x, y, x_test, y_test] = ['x', 'y', 'x_test', 'y_test'].map(
      (name) => inputs.get(name) as HostArray,
    ) as [HostArray, HostArray, HostArray, HostArray];
    const ridge = fitRidge(x, y.data, num_classes, l2_reg);
    const scores = runtime.jit(
      (features: tf.Tensor, mean: tf.Tensor, std: tf.Tensor, weights: tf.Tensor) =>
        scoresOf(features, { mean, std, weights }, ridge.constant),
      { name: 'parity scores' },
    );
    const sent = [x_test, ridge.mean, ridge.std, ridge.weights].map((array) => runtime.toDevice(array));
    const scored = scores(...(sent as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]));
    const predictions = await predictRidge(runtime, scorer(runtime, 'parity'), ridge, x_test);
    const right = predictions.filter((label, i) => label === y_test.data[i]).length;
    const accuracy = hostArray('float32', [], [right / predictions.length]);
    return new Map<string, HostArray>([
      ['accuracy', accuracy],
      ['accuracy_f64', accuracy],
      ['mean', ridge.mean],
      ['std', ridge.std],
      ['predictions', hostArray('int32', [predictions.length], predictions)],
      ['scores_f64', await runtime.toHost(scored)],
    ]);
  },
};

async function metricsOf(evaluator: Evaluator): Promise<Map<string, HostArray>> {
  const found = new Map<string, HostArray>();
  for await (const [name, value] of evaluator.run({}, 0)) found.set(name, hostArray('float32', [], [value]));
  return found;
}

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
