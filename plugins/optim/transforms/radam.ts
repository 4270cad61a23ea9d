import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { adamOptions, rootOf } from './adam';

export const radamOptions = adamOptions.omit({ mu_dtype: true }).extend({
  threshold: z.number().default(5).describe('how many gradients the second moment must be worth to be used'),
});

/**
 * Rectified Adam (arXiv:1908.03265): the mean of gradients alone until their squares say enough, then Adam times a factor
 * that rises to 1. State: count, mu/NAME, nu/NAME.
 */
export function scaleByRadam(options: z.output<typeof radamOptions>): GradientTransform {
  const { b1, b2, threshold, nesterov } = options;
  return leafwise({
    init: (param) => ({ mu: tf.zerosLike(param), nu: tf.zerosLike(param) }),
    shared: (t) => ({
      meanOf: unbiasedMean(b1, t, nesterov),
      weight2: weight(b2, t),
      ...rectification(b2, t, threshold),
    }),
    update(g, { mu, nu }, _, { meanOf, weight2, rectified, factor }) {
      const m = average(b1, g, mu);
      const v = average(b2, tf.square(g), nu);
      const mean = meanOf(m, g);
      const adam = tf.div(tf.mul(factor, mean), rootOf(tf.div(v, weight2), options));
      return { updates: tf.where(rectified, adam, mean), mu: m, nu: v };
    },
  });
}

/** Whether the second moment is used at step t, and the factor that makes its variance that of many steps. */
function rectification(b2: number, t: tf.Tensor, threshold: number) {
  const most = 2 / (1 - b2) - 1;
  const power = tf.pow(b2, t);
  // The length of a plain mean with the same centre of mass.
  const length = tf.sub(most, tf.div(tf.mul(tf.mul(2, t), power), tf.sub(1, power)));
  const variance = (rho: tf.Tensor) => tf.mul(tf.sub(rho, 4), tf.sub(rho, 2));
  const factor = tf.sqrt(tf.div(tf.mul(variance(length), most), tf.mul((most - 4) * (most - 2), length)));
  return { rectified: tf.greaterEqual(length, threshold), factor };
}
