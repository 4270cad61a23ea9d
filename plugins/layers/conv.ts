// Convolution over images, after flax.linen's Conv.

import type { Initializer } from '../../core/extensions';
import { lecunNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { inStorage } from './storage';

type Pair = readonly [height: number, width: number];

export interface ConvOptions {
  readonly features: number;
  readonly kernel: Pair;
  readonly strides?: Pair;
  /** `SAME` and `VALID` as in XLA, or zeros before and after: [[top, bottom], [left, right]]. */
  readonly padding?: 'SAME' | 'VALID' | readonly [Pair, Pair];
  readonly kernelInit?: Initializer;
  readonly biasInit?: Initializer;
  readonly useBias?: boolean;
  /** What the kernel goes through before it is used, such as weight standardisation. */
  readonly kernelTransform?: (kernel: tf.Tensor) => tf.Tensor;
  /** What inputs and parameters are cast to. Default: they promote, as in JAX. */
  readonly dtype?: tf.StorageType;
}

/**
 * Cross-correlation. Parameters: `kernel` [height, width, in, features], `bias` [features].
 * @param x float [batch, height, width, in]
 * @returns float [batch, height', width', features]
 */
export function conv2d(scope: Scope, x: tf.Tensor, options: ConvOptions): tf.Tensor {
  const { features, kernel: size, strides = [1, 1], padding = 'SAME', dtype } = options;
  const { kernelInit = lecunNormal(), biasInit = zeros, useBias = true, kernelTransform } = options;
  if (x.rank !== 4) {
    throw scope.shapeError(
      `the input has shape [${x.shape.join(', ')}], expected [batch, height, width, channels]`,
      'give it images with a batch axis.',
    );
  }
  const stored = scope.param('kernel', [...size, x.shape[3] as number, features], kernelInit);
  const kernel = kernelTransform ? kernelTransform(stored) : stored;
  const patches = padding === 'VALID' && strides[0] === size[0] && strides[1] === size[1];
  const convolve = patches ? convolvePatches : convolveAny;
  const y = convolve(scope, inStorage(x, dtype), inStorage(kernel, dtype), strides, padding);
  if (!useBias) return y;
  return tf.add(y, inStorage(scope.param('bias', [features], biasInit), dtype));
}

type Convolve = (
  scope: Scope,
  x: tf.Tensor,
  kernel: tf.Tensor,
  strides: Pair,
  padding: NonNullable<ConvOptions['padding']>,
) => tf.Tensor;

const convolveAny: Convolve = (_, x, kernel, strides, padding) => {
  const explicit = typeof padding === 'string' ? padding.toLowerCase() : [[0, 0], ...padding, [0, 0]];
  return tf.conv2d(
    x as tf.Tensor<tf.Rank.R4>,
    kernel as tf.Tensor<tf.Rank.R4>,
    [...strides],
    explicit as 'same' | 'valid',
  );
};

/**
 * Patches that don't overlap are cut out and multiplied as one matrix, which is several times faster than a
 * convolution on a CPU, and the same sums in another order.
 */
const convolvePatches: Convolve = (scope, x, kernel, [h, w]) => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const features = kernel.shape[3] as number;
  const rows = Math.floor(height / h);
  const columns = Math.floor(width / w);
  if (rows === 0 || columns === 0) {
    throw scope.shapeError(
      `the image of ${height} x ${width} is smaller than the patch of ${h} x ${w}`,
      'resize the images in pp, or choose a smaller patch_size.',
    );
  }
  // As with VALID padding, what doesn't fill a patch is dropped.
  const whole =
    rows * h === height && columns * w === width
      ? x
      : tf.slice(x, [0, 0, 0, 0], [batch, rows * h, columns * w, channels]);
  const grid = tf.reshape(whole, [batch, rows, h, columns, w * channels]);
  const patches = tf.reshape(tf.transpose(grid, [0, 1, 3, 2, 4]), [batch * rows * columns, h * w * channels]);
  const product = tf.matMul(patches, tf.reshape(kernel, [h * w * channels, features]));
  return tf.reshape(product, [batch, rows, columns, features]);
};
