import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { mapToTrees, stateOf } from './trees';

export const rmsOptions = z.strictObject({
  decay: z.number().min(0).max(1).default(0.9).describe('decay of the mean of squared gradients'),
  eps: z.number().default(1e-8).describe('added to that mean'),
  initial_scale: z.number().default(0).describe('its first value'),
});

/** RMSProp: g / sqrt(v + eps), with v = decay v + (1-decay) g^2. State: nu/NAME. */
export function scaleByRms({ decay, eps, initial_scale }: z.output<typeof rmsOptions>): GradientTransform {
  return {
    init: (params) => mapToTrees(params, ['nu'], (_, param) => ({ nu: tf.fill(param.shape, initial_scale) })),
    update(grads, state) {
      const { updates, nu } = mapToTrees(grads, ['updates', 'nu'], (name, g) => {
        const v = tf.add(tf.mul(1 - decay, tf.square(g)), tf.mul(decay, stateOf(state, `nu/${name}`)));
        return { updates: tf.mul(tf.rsqrt(tf.add(v, eps)), g), nu: v };
      });
      return { updates, state: { nu } };
    },
  };
}
