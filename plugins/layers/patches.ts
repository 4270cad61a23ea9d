// Images as grids of patches, and back.

import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { conv2d } from './conv';

type Pair = readonly [number, number];

/** Rows and columns of the whole patches of an image. */
export const patchGrid = ([height, width]: Pair, [h, w]: Pair): Pair => [
  Math.floor(height / h),
  Math.floor(width / w),
];

/**
 * A token of each patch, which is multiplied by one matrix. Parameters: those of `conv2d`.
 * @param image float [batch, height, width, channels]
 * @returns float [batch, patches, features]
 */
export function embedPatches(
  scope: Scope,
  image: tf.Tensor,
  { features, patch }: { readonly features: number; readonly patch: Pair },
): tf.Tensor {
  const tokens = conv2d(scope, image, { features, kernel: patch, strides: patch, padding: 'VALID' });
  const [batch, rows, columns] = tokens.shape as [number, number, number];
  return tf.reshape(tokens, [batch, rows * columns, features]);
}

/** [batch, height, width, channels] -> [batch, rows, columns, channels, patch height, patch width] */
export function toPatchGrid(x: tf.Tensor, [h, w]: Pair): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  return tf.transpose(tf.reshape(x, [batch, height / h, h, width / w, w, channels]), [0, 1, 3, 5, 2, 4]);
}

/**
 * The way back.
 * @param x values of [batch, rows, columns, channels, patch height, patch width] in this order, in any shape
 */
export function fromPatchGrid(x: tf.Tensor, [rows, columns]: Pair, [h, w]: Pair): tf.Tensor {
  const batch = x.shape[0] as number;
  const channels = x.size / (batch * rows * columns * h * w);
  const grid = tf.transpose(tf.reshape(x, [batch, rows, columns, channels, h, w]), [0, 1, 4, 2, 5, 3]);
  return tf.reshape(grid, [batch, rows * h, columns * w, channels]);
}

/** The pixels of each patch: [batch, height, width, channels] -> [batch, patches, patch height * patch width * channels]. */
export function flattenPatches(x: tf.Tensor, [h, w]: Pair): tf.Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / h, width / w];
  const cut = tf.transpose(tf.reshape(x, [-1, rows, h, columns, w, channels]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(cut, [-1, rows * columns, h * w * channels]);
}

/** The way back. */
export function unflattenPatches(x: tf.Tensor, [rows, columns]: Pair, [h, w]: Pair): tf.Tensor {
  const channels = (x.shape[2] as number) / (h * w);
  const cut = tf.transpose(tf.reshape(x, [-1, rows, columns, h, w, channels]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(cut, [-1, rows * h, columns * w, channels]);
}
