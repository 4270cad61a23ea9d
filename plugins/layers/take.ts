// Entries along the second axis, behind that of the batch.

import * as tf from '../../core/tensor';

/** Those of one place: [batch, n, ...] and int32 scalar -> [batch, 1, ...]. */
export const takeAt = (x: tf.Tensor, index: tf.Tensor): tf.Tensor =>
  tf.gather(x, tf.reshape(index, [1]) as tf.Tensor1D, 1);

/** For each row those of its own places: [batch, n, ...] and int32 [batch, m] -> [batch, m, ...]. */
export const takeEach = (x: tf.Tensor, index: tf.Tensor): tf.Tensor =>
  tf.gather(x, index as tf.Tensor2D, 1, 1);
