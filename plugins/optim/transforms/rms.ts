import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average, weight } from '../moments';

export const rmsOptions = z.strictObject({
  decay: z.number().min(0).max(1).default(0.9).describe('decay of the mean of squared gradients'),
  eps: z.number().default(1e-8).describe('added to that mean'),
  initial_scale: z.number().default(0).describe('its first value'),
  eps_in_sqrt: z.boolean().default(true).describe('false adds eps to the root of the mean instead'),
  bias_correction: z.boolean().default(false).describe('divides the mean by 1 - decay^t, as Adam does'),
});

type RmsOptions = z.output<typeof rmsOptions>;

/** g / root, where the root is that of v. */
function overRoot(g: tf.Tensor, v: tf.Tensor, { eps, eps_in_sqrt }: RmsOptions): tf.Tensor {
  const inverse = eps_in_sqrt ? tf.rsqrt(tf.add(v, eps)) : tf.div(1, tf.add(tf.sqrt(v), eps));
  return tf.mul(inverse, g);
}

/** What takes the bias from means, where that is asked for. */
const correction = ({ decay, bias_correction }: RmsOptions) =>
  bias_correction ? { shared: (t: tf.Tensor) => weight(decay, t) } : {};
const corrected = (mean: tf.Tensor, weight: tf.Tensor | undefined) => (weight ? tf.div(mean, weight) : mean);

/**
 * RMSProp: g / sqrt(v + eps), with v = decay v + (1-decay) g^2. State: nu/NAME, and count where the bias is corrected.
 */
export function scaleByRms(options: RmsOptions): GradientTransform {
  const { decay, initial_scale } = options;
  return leafwise<'nu', tf.Tensor | undefined>({
    init: (param) => ({ nu: tf.fill(param.shape, initial_scale) }),
    ...correction(options),
    update(g, { nu }, _, weight) {
      const v = average(decay, tf.square(g), nu);
      return { updates: overRoot(g, corrected(v, weight), options), nu: v };
    },
  });
}

/** Centred RMSProp: g / sqrt(v - m^2 + eps), with m = decay m + (1-decay) g. State: that of RMSProp, and mu/NAME. */
export function scaleByStddev(options: RmsOptions): GradientTransform {
  const { decay, initial_scale } = options;
  return leafwise<'mu' | 'nu', tf.Tensor | undefined>({
    init: (param) => ({ mu: tf.zerosLike(param), nu: tf.fill(param.shape, initial_scale) }),
    ...correction(options),
    update(g, { mu, nu }, _, weight) {
      const m = average(decay, g, mu);
      const v = average(decay, tf.square(g), nu);
      const variance = tf.sub(corrected(v, weight), tf.square(corrected(m, weight)));
      return { updates: overRoot(g, variance, options), mu: m, nu: v };
    },
  });
}
