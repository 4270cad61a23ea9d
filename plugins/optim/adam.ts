import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { storage } from './storage';
import { mapToTrees, stateOf } from './trees';

export const adamOptions = z.strictObject({
  b1: z.number().min(0).max(1).default(0.9).describe('decay of the mean of gradients'),
  b2: z.number().min(0).max(1).default(0.999).describe('decay of the mean of squared gradients'),
  eps: z.number().default(1e-8).describe('added to the root of the second moment'),
  eps_root: z.number().default(0).describe('added to the second moment under the root'),
  mu_dtype: storage.nullish().describe('how the first moment is stored; bfloat16 halves its memory'),
  nesterov: z.boolean().default(false).describe('looks one step ahead in the first moment (NAdam)'),
});

/**
 * Adam (arXiv:1412.6980) without a learning rate: m/(1-b1^t) / (sqrt(v/(1-b2^t) + eps_root) + eps), with
 * m = b1 m + (1-b1) g and v = b2 v + (1-b2) g^2. State: count, mu/NAME, nu/NAME.
 */
export function scaleByAdam(options: z.output<typeof adamOptions>): GradientTransform {
  const { b1, b2, eps, eps_root, mu_dtype, nesterov } = options;
  const stored = (mu: tf.Tensor) => (mu_dtype ? tf.castStorage(mu, mu_dtype) : mu);

  return {
    init: (params) => ({
      count: tf.scalar(0, 'int32'),
      ...mapToTrees(params, ['mu', 'nu'], (_, param) => ({
        mu: stored(tf.zerosLike(param)),
        nu: tf.zerosLike(param),
      })),
    }),

    update(grads, state) {
      const count = tf.add(stateOf(state, 'count'), tf.scalar(1, 'int32'));
      const t = tf.cast(count, 'float32');
      const unbias = (decay: number, steps: tf.Tensor) => tf.sub(1, tf.pow(decay, steps));
      const unbias1 = unbias(b1, t);
      const unbias2 = unbias(b2, t);
      const unbiasAhead = nesterov ? unbias(b1, tf.add(t, 1)) : undefined;

      const { updates, mu, nu } = mapToTrees(grads, ['updates', 'mu', 'nu'], (name, g) => {
        const m = tf.add(tf.mul(1 - b1, g), tf.mul(b1, stateOf(state, `mu/${name}`)));
        const v = tf.add(tf.mul(1 - b2, tf.square(g)), tf.mul(b2, stateOf(state, `nu/${name}`)));
        const mean = unbiasAhead
          ? tf.add(tf.mul(b1, tf.div(m, unbiasAhead)), tf.mul(1 - b1, tf.div(g, unbias1)))
          : tf.div(m, unbias1);
        const square = tf.div(v, unbias2);
        const root = tf.sqrt(eps_root === 0 ? square : tf.add(square, eps_root));
        return { updates: tf.div(mean, tf.add(root, eps)), mu: stored(m), nu: v };
      });
      return { updates, state: { count, mu, nu } };
    },
  };
}
