// Transforms by sizes and signs. None has a state.

import { z } from 'zod';
import type { GradientTransform, Params } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { globalNorm } from '../../../core/train/gradients';
import { leaves, mapNamed } from '../../../core/tree';
import { stateless } from '../leafwise';

/** The sign of each gradient: signSGD (arXiv:1802.04434). */
export function scaleBySign(): GradientTransform {
  return stateless((update) => tf.sign(update));
}

export const blockOptions = z.strictObject({
  min_scale: z.number().min(0).default(1e-3).describe('sizes count as at least this'),
});

/** Each update times the norm of its parameter. */
export function scaleByParamBlockNorm({ min_scale }: z.output<typeof blockOptions>): GradientTransform {
  return stateless((update, param) => tf.mul(update, tf.maximum(norm(param), min_scale)));
}

/** Each update times the root mean square of its parameter. */
export function scaleByParamBlockRms({ min_scale }: z.output<typeof blockOptions>): GradientTransform {
  return stateless((update, param) =>
    tf.mul(update, tf.maximum(tf.sqrt(tf.mean(tf.square(param))), min_scale)),
  );
}

export const updateNormOptions = z.strictObject({
  scale_factor: z.number().default(1).describe('the norm of all updates together'),
  eps: z.number().default(1e-6).describe('added to the norm of gradients'),
});

/** Gradients over the norm of them all. */
export function normalizeByUpdateNorm({
  scale_factor,
  eps,
}: z.output<typeof updateNormOptions>): GradientTransform {
  return {
    init: () => ({}),
    update(updates) {
      const divisor = tf.div(tf.add(globalNorm(leaves<tf.Tensor>(updates)), eps), scale_factor);
      const divided = mapNamed<tf.Tensor, tf.Tensor>(updates, (_, update) => tf.div(update, divisor));
      return { updates: divided as Params, state: {} };
    },
  };
}

export function norm(x: tf.Tensor): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(x)));
}
