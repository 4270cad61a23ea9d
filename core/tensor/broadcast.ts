// Broadcasting to a shape. tfjs's op takes an axis of length 0 for one that isn't stretched, and returns x.

import {
  broadcastTo as stretch,
  reshape,
  slice,
  type Tensor,
  type TensorLike,
  util,
} from '@tensorflow/tfjs-core';

/**
 * x with its axes of length 1, and new ones in front, repeated to `shape`.
 * @throws Error where another axis of x differs from that of `shape`.
 */
export function broadcastTo(x: Tensor | TensorLike, shape: readonly number[]): Tensor {
  const stretched = stretch(x, shape as number[]);
  if (util.sizeFromShape(shape as number[]) > 0) return stretched;
  // A part of x of no elements, which keeps its dtype and its place on the tape.
  const none = slice(reshape(stretched, [stretched.size]), 0, 0);
  return reshape(none, shape as number[]);
}
