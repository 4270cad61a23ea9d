import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, unbiasedMean, weight } from '../moments';
import { storage, storedAs } from '../storage';

export const adamOptions = z.strictObject({
  b1: z.number().min(0).max(1).default(0.9).describe('decay of the mean of gradients'),
  b2: z.number().min(0).max(1).default(0.999).describe('decay of the mean of squared gradients'),
  eps: z.number().default(1e-8).describe('added to the root of the second moment'),
  eps_root: z.number().default(0).describe('added to the second moment under the root'),
  mu_dtype: storage.nullish().describe('how the first moment is stored; bfloat16 halves its memory'),
  nesterov: z.boolean().default(false).describe('looks one step ahead in the first moment (NAdam)'),
});

/** The root of a second moment that divides updates: sqrt(v + eps_root) + eps. */
export function rootOf(v: tf.Tensor, { eps, eps_root }: { eps: number; eps_root: number }): tf.Tensor {
  return tf.add(tf.sqrt(eps_root === 0 ? v : tf.add(v, eps_root)), eps);
}

/**
 * Adam (arXiv:1412.6980) without a learning rate: m/(1-b1^t) / (sqrt(v/(1-b2^t) + eps_root) + eps), with
 * m = b1 m + (1-b1) g and v = b2 v + (1-b2) g^2. State: count, mu/NAME, nu/NAME.
 */
export function scaleByAdam(options: z.output<typeof adamOptions>): GradientTransform {
  const { b1, b2, nesterov } = options;
  const stored = storedAs(options.mu_dtype);
  return leafwise({
    init: (param) => ({ mu: stored(tf.zerosLike(param)), nu: tf.zerosLike(param) }),
    shared: (t) => ({ meanOf: unbiasedMean(b1, t, nesterov), weight2: weight(b2, t) }),
    update(g, { mu, nu }, _, { meanOf, weight2 }) {
      const m = average(b1, g, mu);
      const v = average(b2, tf.square(g), nu);
      return {
        updates: tf.div(meanOf(m, g), rootOf(tf.div(v, weight2), options)),
        mu: stored(m),
        nu: v,
      };
    },
  });
}
