import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average } from '../moments';

export const adadeltaOptions = z.strictObject({
  rho: z.number().min(0).max(1).default(0.9).describe('decay of the means of squares'),
  eps: z.number().default(1e-6).describe('added to those means under their roots'),
});

/** AdaDelta (arXiv:1212.5701): g times the root mean square of updates over that of gradients. State: e_g/NAME, e_x/NAME. */
export function scaleByAdadelta({ rho, eps }: z.output<typeof adadeltaOptions>): GradientTransform {
  const root = (mean: tf.Tensor) => tf.sqrt(tf.add(mean, eps));
  return leafwise({
    init: (param) => ({ e_g: tf.zerosLike(param), e_x: tf.zerosLike(param) }),
    update(g, kept) {
      const e_g = average(rho, tf.square(g), kept.e_g);
      const updates = tf.mul(tf.div(root(kept.e_x), root(e_g)), g);
      return { updates, e_g, e_x: average(rho, tf.square(updates), kept.e_x) };
    },
  });
}
