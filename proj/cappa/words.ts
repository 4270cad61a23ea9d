// How much each word of a caption counts.

import type { Batch } from '../../core/extensions';
import * as tf from '../../core/tensor';

/** 1 for a word and 0 for padding, times `label_masks` of the batch if it has them: float32 [batch, length]. */
export function wordWeights({ labels, label_masks }: Batch, padToken = 0): tf.Tensor {
  const words = tf.cast(tf.notEqual(labels!, tf.scalar(padToken, 'int32')), 'float32');
  return label_masks ? tf.mul(words, label_masks) : words;
}
