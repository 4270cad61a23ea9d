import type { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean } from '../moments';
import { adamOptions } from './adam';

export const adamaxOptions = adamOptions.pick({ b1: true }).extend({
  b2: adamOptions.shape.b2.describe('decay of the largest gradient'),
  eps: adamOptions.shape.eps.describe('added to the size of gradients'),
});

/** AdaMax (arXiv:1412.6980): m/(1-b1^t) / v, with v = max(|g| + eps, b2 v). State: count, mu/NAME, nu/NAME. */
export function scaleByAdamax({ b1, b2, eps }: z.output<typeof adamaxOptions>): GradientTransform {
  return leafwise({
    init: (param) => ({ mu: tf.zerosLike(param), nu: tf.zerosLike(param) }),
    shared: (t) => unbiasedMean(b1, t),
    update(g, { mu, nu }, _, meanOf) {
      const m = average(b1, g, mu);
      const v = tf.maximum(tf.add(tf.abs(g), eps), tf.mul(b2, nu));
      return { updates: tf.div(meanOf(m, g), v), mu: m, nu: v };
    },
  });
}
