// Randomness of evaluations: what is drawn for a batch depends on its images alone.

import * as tf from '../../core/tensor';

/** A key that is folded from the ids of images, int32 [batch], one after the other. Traced. */
export function keyOfIds(ids: tf.Tensor, seed: number): tf.Tensor {
  const start = tf.tensor([0, seed], [2], 'int32');
  return tf.scan((key: tf.Tensor, id: tf.Tensor) => [tf.random.foldIn(key, id), {}], start, ids)[0];
}
