import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { adamOptions, rootOf } from './adam';

export const adanOptions = adamOptions.pick({ b1: true, b2: true, eps: true, eps_root: true }).extend({
  b1: adamOptions.shape.b1.default(0.98),
  b2: adamOptions.shape.b2.default(0.92).describe('decay of the mean of differences of gradients'),
  b3: z.number().min(0).max(1).default(0.99).describe('decay of the mean of squares'),
});

/**
 * Adan (arXiv:2208.06677): Nesterov's momentum by the differences d of successive gradients: (m + (1-b2) v) / root(n) with
 * the means m of g, v of d and n of (g + (1-b2) d)^2. State: count, and m, v, n and the last gradient g of each NAME.
 */
export function scaleByAdan(options: z.output<typeof adanOptions>): GradientTransform {
  const { b1, b2, b3 } = options;
  return leafwise({
    init: (param) => ({
      m: tf.zerosLike(param),
      v: tf.zerosLike(param),
      n: tf.zerosLike(param),
      g: tf.zerosLike(param),
    }),
    shared: (t) => ({
      first: tf.equal(t, 1),
      meanOf: unbiasedMean(b1, t),
      weight2: weight(b2, t),
      weight3: weight(b3, t),
    }),
    update(g, last, _, { first, meanOf, weight2, weight3 }) {
      const difference = tf.where(first, tf.zerosLike(g), tf.sub(g, last.g));
      const m = average(b1, g, last.m);
      const v = average(b2, difference, last.v);
      const n = average(b3, tf.square(tf.add(g, tf.mul(1 - b2, difference))), last.n);
      const direction = tf.add(meanOf(m, g), tf.mul(1 - b2, tf.div(v, weight2)));
      return { updates: tf.div(direction, rootOf(tf.div(n, weight3), options)), m, v, n, g };
    },
  });
}
