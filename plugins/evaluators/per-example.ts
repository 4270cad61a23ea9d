// The mean of values that each example has, over one pass of a data set.

import { catalogue } from '../../core/errors';
import type { Batch, Evaluator, EvaluatorContext, ModelResult, Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { isDict } from '../../core/tree';
import { forEachBatch, openPass, type PassOptions, type PassServices } from './feed';

const errors = catalogue('eval', {
  notNamed: (v: { name: string }) => ({
    what: `evals.${v.name} takes means of named values, but its predict function gives something else.`,
    fix: 'name another with pred, such as pred="loss"; or add one in the hook `predict`.',
  }),
  notPerExample: (v: { name: string; metric: string; shape: readonly number[]; batch_size: number }) => ({
    what: `evals.${v.name}: "${v.metric}" has the shape [${v.shape.join(', ')}], expected [${v.batch_size}]: one value for each example.`,
    fix: 'reduce it over all axes but the first.',
  }),
});

/** Traced: named values of a batch, each [batch]. */
export type PerExampleFn = (params: Params, batch: Batch) => Readonly<Record<string, tf.Tensor>>;

/**
 * Means over the examples that `_mask` counts; of no examples they are NaN. What padding gives is left out, even NaN.
 * Sums are made on the device, one for each batch, and added up in double precision.
 */
export async function meanOfExamples(
  options: PassOptions,
  context: EvaluatorContext,
  services: PassServices,
  valuesOf: PerExampleFn,
): Promise<Evaluator> {
  const { runtime } = services;
  const { name, batch_size } = context;
  const input = await openPass(options, context, services);
  const sumsOf = (params: Params, batch: Batch): Record<string, tf.Tensor> => {
    const mask = batch._mask as tf.Tensor;
    const counts = tf.greater(mask, 0);
    const sum = (metric: string, values: tf.Tensor) => {
      if (values.shape.join() !== mask.shape.join())
        throw errors.notPerExample({ name, metric, shape: values.shape, batch_size });
      return tf.sum(tf.where(counts, tf.cast(values, 'float32'), tf.zerosLike(mask)));
    };
    const named = Object.entries(valuesOf(params, batch));
    return {
      ...Object.fromEntries(named.map(([metric, values]) => [metric, sum(metric, values)])),
      _mask: tf.sum(mask),
    };
  };
  const step = runtime.jit(sumsOf, { name: `evals.${name}` });

  return {
    async *run(params) {
      const read = async (metric: string, sum: tf.Tensor) => {
        const { data } = await runtime.toHost(sum);
        tf.dispose(sum);
        return [metric, data[0] as number] as const;
      };
      const reads: ReturnType<typeof read>[] = [];
      await forEachBatch(runtime, input, (batch) => {
        for (const [metric, sum] of Object.entries(step(params, batch))) reads.push(read(metric, sum));
      });
      const totals = new Map<string, number>();
      for (const [metric, sum] of await Promise.all(reads))
        totals.set(metric, (totals.get(metric) ?? 0) + sum);
      const count = totals.get('_mask') ?? 0;
      for (const [metric, total] of totals) if (metric !== '_mask') yield [metric, total / count];
    },
  };
}

/** What a predict function gives, as named values. */
export function namedOutput(name: string, { output }: ModelResult): Record<string, tf.Tensor> {
  if (!isDict(output)) throw errors.notNamed({ name });
  return output as Record<string, tf.Tensor>;
}
