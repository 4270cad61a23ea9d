import type { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { adamOptions } from './adam';

export const beliefOptions = adamOptions.omit({ mu_dtype: true }).extend({
  b2: adamOptions.shape.b2.describe('decay of the mean of squared errors'),
  eps: adamOptions.shape.eps.default(1e-16),
  eps_root: adamOptions.shape.eps_root.default(1e-16).describe('added to the second moment at each step'),
});

/**
 * AdaBelief (arXiv:2010.07468): Adam whose second moment v is that of g - m, of how far a gradient is from what its mean
 * predicts. State: count, mu/NAME, nu/NAME.
 */
export function scaleByBelief({
  b1,
  b2,
  eps,
  eps_root,
  nesterov,
}: z.output<typeof beliefOptions>): GradientTransform {
  return leafwise({
    init: (param) => ({ mu: tf.zerosLike(param), nu: tf.zerosLike(param) }),
    shared: (t) => ({ meanOf: unbiasedMean(b1, t, nesterov), weight2: weight(b2, t) }),
    update(g, { mu, nu }, _, { meanOf, weight2 }) {
      const m = average(b1, g, mu);
      const v = tf.add(average(b2, tf.square(tf.sub(g, m)), nu), eps_root);
      const root = tf.add(tf.sqrt(tf.div(v, weight2)), eps);
      return { updates: tf.div(meanOf(m, g), root), mu: m, nu: v };
    },
  });
}
