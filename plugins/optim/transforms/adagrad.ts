import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';

export const rssOptions = z.strictObject({
  initial_accumulator_value: z.number().min(0).default(0.1).describe('what sums of squares start with'),
  eps: z.number().default(1e-7).describe('added to the sum under the root'),
});

/** 1 / sqrt(sum + eps), and 0 where the sum is 0. */
export function inverseRoot(sum: tf.Tensor, eps: number): tf.Tensor {
  return tf.where(tf.greater(sum, 0), tf.rsqrt(tf.add(sum, eps)), tf.zerosLike(sum));
}

/** AdaGrad (JMLR 2011): gradients over the root of the sum of their squares. State: sum_of_squares/NAME. */
export function scaleByRss({
  initial_accumulator_value,
  eps,
}: z.output<typeof rssOptions>): GradientTransform {
  return leafwise({
    init: (param) => ({ sum_of_squares: tf.fill(param.shape, initial_accumulator_value) }),
    update(g, { sum_of_squares }) {
      const sum = tf.add(tf.square(g), sum_of_squares);
      return { updates: tf.mul(inverseRoot(sum, eps), g), sum_of_squares: sum };
    },
  });
}
