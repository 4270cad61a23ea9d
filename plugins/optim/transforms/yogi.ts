import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { adamOptions, rootOf } from './adam';

export const yogiOptions = adamOptions.omit({ mu_dtype: true, nesterov: true }).extend({
  eps: adamOptions.shape.eps.default(1e-3),
  initial_accumulator_value: z.number().default(1e-6).describe('what both moments start with'),
});

/** Yogi (NeurIPS 2018): Adam with v = v - (1-b2) sign(v - g^2) g^2, which falls slowly. State: count, mu/NAME, nu/NAME. */
export function scaleByYogi(options: z.output<typeof yogiOptions>): GradientTransform {
  const { b1, b2, initial_accumulator_value } = options;
  const initial = (param: tf.Tensor) => tf.fill(param.shape, initial_accumulator_value);
  return leafwise({
    init: (param) => ({ mu: initial(param), nu: initial(param) }),
    shared: (t) => ({ meanOf: unbiasedMean(b1, t), weight2: weight(b2, t) }),
    update(g, { mu, nu }, _, { meanOf, weight2 }) {
      const m = average(b1, g, mu);
      const square = tf.square(g);
      const v = tf.sub(nu, tf.mul(tf.mul(1 - b2, tf.sign(tf.sub(nu, square))), square));
      return { updates: tf.div(meanOf(m, g), rootOf(tf.div(v, weight2), options)), mu: m, nu: v };
    },
  });
}
