import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';

export const optimisticOptions = z.strictObject({
  alpha: z.number().default(1).describe('factor of the gradient'),
  beta: z.number().default(1).describe('factor of its change since the last step'),
});

/** Optimistic gradients (arXiv:1711.00141): alpha g + beta (g - last g). State: count, previous_gradient/NAME. */
export function scaleByOptimisticGradient({
  alpha,
  beta,
}: z.output<typeof optimisticOptions>): GradientTransform {
  return leafwise({
    init: (param) => ({ previous_gradient: tf.zerosLike(param) }),
    shared: (t) => tf.equal(t, 1),
    update(g, { previous_gradient }, _, first) {
      const before = tf.where(first, g, previous_gradient);
      return { updates: tf.sub(tf.mul(alpha + beta, g), tf.mul(beta, before)), previous_gradient: g };
    },
  });
}
