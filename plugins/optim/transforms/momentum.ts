import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean } from '../moments';
import { storage, storedAs } from '../storage';

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

/** Momentum: m = g + decay m. State: trace/NAME. */
export function trace({
  decay,
  nesterov,
  accumulator_dtype,
}: z.output<typeof traceOptions>): GradientTransform {
  const stored = storedAs(accumulator_dtype ?? 'float32');
  return leafwise({
    init: (param) => ({ trace: stored(tf.zerosLike(param)) }),
    update(g, { trace }) {
      const sum = tf.add(g, tf.mul(decay, trace));
      const ahead = nesterov ? tf.add(g, tf.mul(decay, sum)) : sum;
      return { updates: ahead, trace: stored(sum) };
    },
  });
}

export const emaOptions = z.strictObject({
  decay: z.number().min(0).max(1).describe('of the mean of gradients'),
  debias: z.boolean().default(true).describe('divides the mean by 1 - decay^t, as Adam does'),
  accumulator_dtype: storage.nullish().describe('how the mean is stored; default: float32'),
});

/** The mean of gradients: m = decay m + (1-decay) g. State: ema/NAME, and count where the bias is corrected. */
export function ema({ decay, debias, accumulator_dtype }: z.output<typeof emaOptions>): GradientTransform {
  const stored = storedAs(accumulator_dtype);
  return leafwise({
    init: (param) => ({ ema: stored(tf.zerosLike(param)) }),
    ...(debias ? { shared: (t: tf.Tensor) => unbiasedMean(decay, t) } : {}),
    update(g, { ema }, _, unbiased) {
      const mean = average(decay, g, ema);
      return { updates: unbiased ? unbiased(mean, g) : mean, ema: stored(mean) };
    },
  });
}
