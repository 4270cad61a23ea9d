// Normalisation, after flax.linen's LayerNorm and GroupNorm.

import type { Initializer } from '../../core/extensions';
import { ones, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

/** Of normalisation: the variance as E[x^2] - E[x]^2, cut at 0, which is Flax's default, or as E[(x - E[x])^2]. */
type VarianceKind = 'fast' | 'exact';

export interface LayerNormOptions {
  readonly eps?: number;
  readonly variance?: VarianceKind;
  readonly useScale?: boolean;
  readonly useBias?: boolean;
}

/**
 * Layer normalisation (arXiv:1607.06450) over the last axis: (x - mean) / sqrt(variance + eps) * scale + bias, in
 * float32 whatever x is stored as. Parameters: `scale` and `bias` [features].
 * @param x float [..., features]
 * @returns float32 [..., features]
 */
export function layerNorm(scope: Scope, x: tf.Tensor, options: LayerNormOptions = {}): tf.Tensor {
  const { eps = 1e-6, useScale = true, useBias = true } = options;
  const features = x.shape.slice(-1);
  const wide = tf.castStorage(x, 'float32');
  const { mean, variance } = meanAndVariance(wide, -1, options.variance);
  const inverse = tf.rsqrt(tf.add(variance, eps));
  const factor = useScale ? tf.mul(inverse, scope.param('scale', features, ones)) : inverse;
  const normed = tf.mul(tf.sub(wide, mean), factor);
  return useBias ? tf.add(normed, scope.param('bias', features, zeros)) : normed;
}

function meanAndVariance(x: tf.Tensor, axes: number | number[], kind: VarianceKind = 'fast') {
  const mean = tf.mean(x, axes, true);
  const variance =
    kind === 'exact'
      ? tf.mean(tf.squaredDifference(x, mean), axes, true)
      : tf.relu(tf.sub(tf.mean(tf.square(x), axes, true), tf.square(mean)));
  return { mean, variance };
}

export interface GroupNormOptions {
  /** A divisor of the number of channels. */
  readonly groups?: number;
  readonly eps?: number;
  readonly variance?: VarianceKind;
  readonly scaleInit?: Initializer;
}

/** [batch, ...space, channels] as [batch, space, groups, channels / groups]. */
export function inGroups(scope: Scope, x: tf.Tensor, groups: number): tf.Tensor {
  const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number];
  if (channels % groups !== 0) {
    throw scope.shapeError(
      `${channels} channels can't be divided into ${groups} groups`,
      `choose a width that gives a multiple of ${groups} channels.`,
    );
  }
  return tf.reshape(x, [batch, -1, groups, channels / groups]);
}

/**
 * Group normalisation (arXiv:1803.08494): as layerNorm, but each group of channels by its mean and variance over the
 * image. Parameters: `scale` and `bias` [channels].
 * @param x float [batch, ...space, channels]
 * @returns float32 of the same shape
 */
export function groupNorm(scope: Scope, x: tf.Tensor, options: GroupNormOptions = {}): tf.Tensor {
  const { groups = 32, eps = 1e-6, scaleInit = ones } = options;
  const channels = x.shape.at(-1) as number;
  const wide = inGroups(scope, tf.castStorage(x, 'float32'), groups);
  const { mean, variance } = meanAndVariance(wide, [1, 3], options.variance);
  const perGroup = (param: tf.Tensor) => tf.reshape(param, [1, 1, groups, channels / groups]);
  const scale = perGroup(scope.param('scale', [channels], scaleInit));
  const bias = perGroup(scope.param('bias', [channels], zeros));
  const normed = tf.mul(tf.sub(wide, mean), tf.mul(tf.rsqrt(tf.add(variance, eps)), scale));
  return tf.reshape(tf.add(normed, bias), x.shape);
}
