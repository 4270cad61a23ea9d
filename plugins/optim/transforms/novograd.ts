import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average } from '../moments';
import { storedAs } from '../storage';
import { adamOptions, rootOf } from './adam';

export const novogradOptions = adamOptions.omit({ nesterov: true }).extend({
  b1: adamOptions.shape.b1.describe('decay of the sum of normalised gradients'),
  b2: adamOptions.shape.b2.default(0.25).describe('decay of the mean of squared norms'),
  weight_decay: z.number().default(0).describe('of all parameters, added to normalised gradients'),
});

/**
 * NovoGrad (arXiv:1905.11286): m = b1 m + g / (sqrt(v + eps_root) + eps) + weight_decay p, where v is a mean of the squared
 * norm of the array's gradient, and at first that of the first. State: count, mu/NAME, nu/NAME (float32 []).
 */
export function scaleByNovograd(options: z.output<typeof novogradOptions>): GradientTransform {
  const { b1, b2, weight_decay } = options;
  const stored = storedAs(options.mu_dtype);
  return leafwise({
    init: (param) => ({ mu: stored(tf.zerosLike(param)), nu: tf.scalar(0) }),
    shared: (t) => tf.equal(t, 1),
    update(g, { mu, nu }, param, first) {
      const square = tf.sum(tf.square(g));
      const v = tf.where(first, square, average(b2, square, nu));
      const normalised = tf.add(tf.div(g, rootOf(v, options)), tf.mul(weight_decay, param));
      const m = stored(tf.add(tf.mul(b1, mu), normalised));
      return { updates: m, mu: m, nu: v };
    },
  });
}
