// How well the words of an answer are predicted.

import type { Batch } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { weightedSoftmaxXent } from '../../plugins/losses';

/** All words of a text but the last: [batch, length] -> [batch, length - 1]. */
export const butLast = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0], [x.shape[0]!, x.shape[1]! - 1]);

/** Words after the first, from those before them: what the model is asked, and what counts. */
export function shifted({ text, mask_ar, mask_loss, ...rest }: Batch) {
  const [batch, length] = text!.shape as [number, number];
  const last = (x: tf.Tensor) => tf.slice(x, [0, 1], [batch, length - 1]);
  return {
    inputs: { ...rest, text: butLast(text!), mask_ar: butLast(mask_ar!) } as Batch,
    targets: last(text!),
    weights: tf.cast(last(mask_loss!), 'float32'),
  };
}

/**
 * Mean cross-entropy of the words that count.
 * @param logits float [batch, length, vocabulary]
 * @param smoothing probability that is spread over all other words
 * @returns float [batch]
 */
export function perplexity(
  logits: tf.Tensor,
  targets: tf.Tensor,
  weights: tf.Tensor,
  smoothing: number,
): tf.Tensor {
  const xent = weightedSoftmaxXent({ label_smoothing: smoothing, normalize: false });
  const sums = xent({ logits, labels: tf.cast(targets, 'int32'), weights }, { reduction: false });
  return tf.div(sums, tf.maximum(tf.sum(weights, -1), 1));
}
