import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';

export const rpropOptions = z.strictObject({
  learning_rate: z.number().describe('the first size of steps'),
  eta_minus: z.number().default(0.5).describe('factor of a step whose gradient changed its sign'),
  eta_plus: z.number().default(1.2).describe('factor of a step whose gradient kept its sign'),
  min_step_size: z.number().default(1e-6).describe('smallest step'),
  max_step_size: z.number().default(50).describe('largest step'),
});

/**
 * Rprop (Riedmiller and Braun 1993): the sign of a gradient times a step that grows while the sign stays. The update is
 * that of the step before, as in optax. State: step_sizes/NAME, prev_updates/NAME.
 */
export function scaleByRprop(options: z.output<typeof rpropOptions>): GradientTransform {
  const { learning_rate, eta_minus, eta_plus, min_step_size, max_step_size } = options;
  return leafwise({
    init: (param) => ({
      step_sizes: tf.fill(param.shape, learning_rate),
      prev_updates: tf.zerosLike(param),
    }),
    update(g, { step_sizes, prev_updates }) {
      const sign = tf.mul(g, prev_updates);
      const unlessTurned = (x: tf.Tensor) => tf.where(tf.less(sign, 0), tf.zerosLike(x), x);
      const changed = tf.mul(step_sizes, tf.where(tf.greater(sign, 0), eta_plus, eta_minus));
      const size = tf.where(
        tf.equal(sign, 0),
        step_sizes,
        tf.clipByValue(changed, min_step_size, max_step_size),
      );
      return {
        updates: unlessTurned(prev_updates),
        step_sizes: size,
        prev_updates: unlessTurned(tf.mul(size, tf.sign(g))),
      };
    },
  });
}
