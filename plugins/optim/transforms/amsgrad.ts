import type { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { storedAs } from '../storage';
import { adamOptions, rootOf } from './adam';

export const amsgradOptions = adamOptions.omit({ nesterov: true });

/** AMSGrad (arXiv:1904.09237): Adam over the root of the largest second moment so far. State: that of Adam, nu_max/NAME. */
export function scaleByAmsgrad(options: z.output<typeof amsgradOptions>): GradientTransform {
  const { b1, b2 } = options;
  const stored = storedAs(options.mu_dtype);
  return leafwise({
    init: (param) => ({
      mu: stored(tf.zerosLike(param)),
      nu: tf.zerosLike(param),
      nu_max: tf.zerosLike(param),
    }),
    shared: (t) => ({ meanOf: unbiasedMean(b1, t), weight2: weight(b2, t) }),
    update(g, { mu, nu, nu_max }, _, { meanOf, weight2 }) {
      const m = average(b1, g, mu);
      const v = average(b2, tf.square(g), nu);
      const largest = tf.maximum(nu_max, tf.div(v, weight2));
      return {
        updates: tf.div(meanOf(m, g), rootOf(largest, options)),
        mu: stored(m),
        nu: v,
        nu_max: largest,
      };
    },
  });
}
