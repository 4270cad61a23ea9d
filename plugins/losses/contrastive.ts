// Contrastive losses of pairs of embeddings. Traced.

import * as tf from '../../core/tensor';
import { errors } from './errors';

export interface ContrastiveInputs {
  /** Embeddings of images and of texts, [batch, width]; the i-th of one belongs to the i-th of the other. */
  readonly zimg: tf.Tensor;
  readonly ztxt: tf.Tensor;
  /** Factor of the similarities, scalar: the inverse temperature itself, not its logarithm. */
  readonly t: tf.Tensor;
  /** [batch], 1 for the pairs that count. */
  readonly mask?: tf.Tensor;
}

export interface ContrastiveResult {
  /** Mean over the pairs, scalar; or one value a pair, [batch]. */
  readonly loss: tf.Tensor;
  /** The same of: 1 where an image is most similar to its own text, otherwise 0. */
  readonly ncorrect: tf.Tensor;
}

/** Finite, so that a pair that is left out has a gradient of 0 and not NaN. */
const leftOut = -1e30;

/**
 * Mean of the softmax cross-entropies of finding the text of an image and the image of a text in the batch (CLIP,
 * arXiv:2103.00020).
 */
export function bidirectionalContrastiveLoss(
  { zimg, ztxt, t, mask }: ContrastiveInputs,
  { reduction = false }: { readonly reduction?: boolean } = {},
): ContrastiveResult {
  const [batch] = zimg.shape as [number, number];
  if (zimg.rank !== 2 || zimg.shape.join() !== ztxt.shape.join()) {
    throw errors.embeddings({ zimg: zimg.shape, ztxt: ztxt.shape });
  }
  const weights = mask && tf.cast(mask, 'float32');
  const counts = weights && tf.greater(weights, 0);
  let logits = tf.mul(tf.matMul(zimg, ztxt, false, true), t);
  if (counts) {
    const both = tf.logicalAnd(tf.expandDims(counts, 1), tf.expandDims(counts, 0));
    logits = tf.where(both, logits, leftOut);
  }
  const own = tf.eye(batch);
  const ownPair = (logP: tf.Tensor) => tf.sum(tf.mul(logP, own), 1);
  const toText = ownPair(tf.logSoftmax(logits));
  const toImage = ownPair(tf.logSoftmax(tf.transpose(logits)));
  let loss = tf.mul(-0.5, tf.add(toText, toImage));
  if (counts) loss = tf.where(counts, loss, 0);
  const found = tf.equal(tf.argMax(logits, 1), tf.range(0, batch, 1, 'int32'));
  const ncorrect = tf.cast(found, 'float32');

  if (!reduction) return { loss, ncorrect };
  if (!weights) return { loss: tf.mean(loss), ncorrect: tf.mean(ncorrect) };
  const mean = (x: tf.Tensor) => tf.div(tf.sum(tf.mul(x, weights)), tf.add(tf.sum(weights), 1e-8));
  return { loss: mean(loss), ncorrect: mean(ncorrect) };
}
