// Randomness of evaluations: what is drawn for a batch depends on its images alone.

import type { Batch } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { keyOfIds } from '../uvim';

/** A key that is folded from the ids of the images, or from their means. Traced. */
export const batchKey = (batch: Batch, seed: number): tf.Tensor =>
  keyOfIds(batch['image/id'] ?? idsOf(batch.image as tf.Tensor), seed);

const idsOf = (image: tf.Tensor) => {
  const rows = tf.reshape(tf.cast(image, 'float32'), [image.shape[0] as number, -1]);
  return tf.cast(tf.mul(1e6, tf.mean(rows, 1)), 'int32');
};
