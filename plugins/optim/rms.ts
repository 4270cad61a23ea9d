import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { mapToTrees, stateOf } from './trees';

export const rmsOptions = z.strictObject({
  decay: z.number().min(0).max(1).default(0.9).describe('decay of the mean of squared gradients'),
  eps: z.number().default(1e-8).describe('added to that mean'),
  initial_scale: z.number().default(0).describe('its first value'),
  eps_in_sqrt: z.boolean().default(true).describe('false adds eps to the root of the mean instead'),
  bias_correction: z.boolean().default(false).describe('divides the mean by 1 - decay^t, as Adam does'),
});

/**
 * RMSProp: g / sqrt(v + eps), with v = decay v + (1-decay) g^2. State: nu/NAME, and count where the bias is corrected.
 */
export function scaleByRms(options: z.output<typeof rmsOptions>): GradientTransform {
  const { decay, eps, initial_scale, eps_in_sqrt, bias_correction } = options;
  const scaleOf = (v: tf.Tensor) =>
    eps_in_sqrt ? tf.rsqrt(tf.add(v, eps)) : tf.div(1, tf.add(tf.sqrt(v), eps));
  const counted = (count: () => tf.Tensor): Record<string, tf.Tensor> =>
    bias_correction ? { count: count() } : {};

  return {
    init: (params) => ({
      ...counted(() => tf.scalar(0, 'int32')),
      ...mapToTrees(params, ['nu'], (_, param) => ({ nu: tf.fill(param.shape, initial_scale) })),
    }),
    update(grads, state) {
      const next = counted(() => tf.add(stateOf(state, 'count'), tf.scalar(1, 'int32')));
      const unbias = next.count && tf.sub(1, tf.pow(decay, tf.cast(next.count, 'float32')));
      const { updates, nu } = mapToTrees(grads, ['updates', 'nu'], (name, g) => {
        const v = tf.add(tf.mul(1 - decay, tf.square(g)), tf.mul(decay, stateOf(state, `nu/${name}`)));
        return { updates: tf.mul(scaleOf(unbias ? tf.div(v, unbias) : v), g), nu: v };
      });
      return { updates, state: { ...next, nu } };
    },
  };
}
