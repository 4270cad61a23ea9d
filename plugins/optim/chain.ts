// What optimizers are put together from.

import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import type { Tensor } from '../../core/tensor';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { stateless } from './leafwise';

export const identity: GradientTransform = {
  init: () => ({}),
  update: (updates) => ({ updates, state: {} }),
};

/**
 * One transform after the other. Their states are one: what they keep must have different names, but for `count`, which
 * is the number of steps in all of them.
 */
export function chain(...transforms: readonly GradientTransform[]): GradientTransform {
  return {
    init: (params) => Object.assign({}, ...transforms.map(({ init }) => init(params))),
    update(grads, state, params) {
      let updates = grads;
      const next: NestedRecord<Tensor> = {};
      for (const transform of transforms) {
        const result = transform.update(updates, state, params);
        updates = result.updates;
        Object.assign(next, result.state);
      }
      return { updates, state: next };
    },
  };
}

export function scale(factor: number): GradientTransform {
  return stateless((update) => tf.mul(update, factor));
}

export const learningRate = z
  .number()
  .describe('as in optax, whose update has its sign: -1, since the trainer multiplies by -lr');

export function scaleByLearningRate(rate: number): GradientTransform {
  return scale(-rate);
}

export const weightDecay = z.number().describe('of all parameters, added to their updates');

export function addDecayedWeights(decay: number): GradientTransform {
  if (decay === 0) return identity;
  return stateless((update, param) => tf.add(update, tf.mul(decay, param)));
}
