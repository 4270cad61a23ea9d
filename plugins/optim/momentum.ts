import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { storage } from './storage';
import { mapToTrees, stateOf } from './trees';

export const momentumOptions = z.strictObject({
  momentum: z.number().default(0.9).describe('decay of the sum of gradients'),
  dtype: storage.nullable().default('bfloat16').describe('how the sum is stored; null: float32'),
  nesterov: z.boolean().default(false).describe('looks one step ahead'),
});

export const traceOptions = z.strictObject({
  decay: z.number().describe('of the sum of gradients'),
  nesterov: z.boolean().default(false).describe('looks one step ahead'),
  accumulator_dtype: storage.nullish().describe('how the sum is stored; default: float32'),
});

/** Momentum with an accumulator of half the size: m = g + momentum m. State: trace/NAME. */
export function momentumHp({
  momentum,
  dtype,
  nesterov,
}: z.output<typeof momentumOptions>): GradientTransform {
  const stored = (sum: tf.Tensor) => tf.castStorage(sum, dtype ?? 'float32');
  return {
    init: (params) => mapToTrees(params, ['trace'], (_, param) => ({ trace: stored(tf.zerosLike(param)) })),
    update(grads, state) {
      const { updates, trace } = mapToTrees(grads, ['updates', 'trace'], (name, g) => {
        const sum = tf.add(g, tf.mul(momentum, stateOf(state, `trace/${name}`)));
        const ahead = nesterov ? tf.add(g, tf.mul(momentum, sum)) : sum;
        return { updates: ahead, trace: stored(sum) };
      });
      return { updates, state: { trace } };
    },
  };
}
