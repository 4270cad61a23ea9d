// Randomness of evaluations: what is drawn for a batch depends on its images alone, so that it can be repeated.

import type { Batch } from '../../core/extensions';
import * as tf from '../../core/tensor';

/** A key (int32 [2]) that is folded from the ids of a batch's images, or from their means. Traced. */
export const batchKey = (batch: Batch, seed: number): tf.Tensor =>
  keyOfIds(batch['image/id'] ?? idsOf(batch.image as tf.Tensor), seed);

/** A key that is folded from the ids of images, int32 [batch], one after the other. Traced. */
export function keyOfIds(ids: tf.Tensor, seed: number): tf.Tensor {
  const start = tf.tensor([0, seed], [2], 'int32');
  return tf.scan((key: tf.Tensor, id: tf.Tensor) => [tf.random.foldIn(key, id), {}], start, ids)[0];
}

const idsOf = (image: tf.Tensor) => {
  const rows = tf.reshape(tf.cast(image, 'float32'), [image.shape[0] as number, -1]);
  return tf.cast(tf.mul(1e6, tf.mean(rows, 1)), 'int32');
};
