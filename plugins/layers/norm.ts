// Normalisation, after flax.linen's LayerNorm.

import { ones, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

export interface LayerNormOptions {
  readonly eps?: number;
  readonly useScale?: boolean;
  readonly useBias?: boolean;
}

/**
 * Layer normalisation (arXiv:1607.06450) over the last axis: (x - mean) / sqrt(variance + eps) * scale + bias, in
 * float32 whatever x is stored as. The variance is E[x^2] - E[x]^2, cut at 0, as Flax computes it. Parameters: `scale`
 * and `bias` [features].
 * @param x float [..., features]
 * @returns float32 [..., features]
 */
export function layerNorm(scope: Scope, x: tf.Tensor, options: LayerNormOptions = {}): tf.Tensor {
  const { eps = 1e-6, useScale = true, useBias = true } = options;
  const features = x.shape.slice(-1);
  const wide = tf.castStorage(x, 'float32');
  const mean = tf.mean(wide, -1, true);
  const variance = tf.relu(tf.sub(tf.mean(tf.square(wide), -1, true), tf.square(mean)));
  const inverse = tf.rsqrt(tf.add(variance, eps));
  const factor = useScale ? tf.mul(inverse, scope.param('scale', features, ones)) : inverse;
  const normed = tf.mul(tf.sub(wide, mean), factor);
  return useBias ? tf.add(normed, scope.param('bias', features, zeros)) : normed;
}
