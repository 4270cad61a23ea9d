import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { storage } from './storage';
import { mapToTrees, stateOf } from './trees';

export const lionOptions = z.strictObject({
  b1: z.number().min(0).max(1).default(0.9).describe('weight of the momentum in the direction'),
  b2: z.number().min(0).max(1).default(0.99).describe('decay of the momentum'),
  mu_dtype: storage.nullish().describe('how the momentum is stored'),
});

/** Lion (arXiv:2302.06675): sign((1-b1) g + b1 m), then m = b2 m + (1-b2) g. State: mu/NAME. */
export function scaleByLion({ b1, b2, mu_dtype }: z.output<typeof lionOptions>): GradientTransform {
  const stored = (mu: tf.Tensor) => (mu_dtype ? tf.castStorage(mu, mu_dtype) : mu);
  return {
    init: (params) => mapToTrees(params, ['mu'], (_, param) => ({ mu: stored(tf.zerosLike(param)) })),
    update(grads, state) {
      const { updates, mu } = mapToTrees(grads, ['updates', 'mu'], (name, g) => {
        const before = stateOf(state, `mu/${name}`);
        return {
          updates: tf.sign(tf.add(tf.mul(1 - b1, g), tf.mul(b1, before))),
          mu: stored(tf.add(tf.mul(1 - b2, g), tf.mul(b2, before))),
        };
      });
      return { updates, state: { mu } };
    },
  };
}
