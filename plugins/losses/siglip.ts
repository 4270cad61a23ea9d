// The sigmoid loss of pairs of embeddings. Traced.

import * as tf from '../../core/tensor';
import type { ContrastiveInputs } from './contrastive';
import { errors } from './errors';

export interface SiglipInputs extends Pick<ContrastiveInputs, 'zimg' | 'ztxt' | 't'> {
  /** Added to the scaled similarities, scalar. */
  readonly b: tf.Tensor;
}

/**
 * Whether an image and a text belong together, as a binary classification of all pairs of the batch (SigLIP,
 * arXiv:2303.15343): the sum of -log sigmoid over texts, and the mean over images, so that it grows with the batch.
 */
export function siglipLoss({ zimg, ztxt, t, b }: SiglipInputs): tf.Tensor {
  const [batch] = zimg.shape as [number, number];
  if (zimg.rank !== 2 || zimg.shape.join() !== ztxt.shape.join()) {
    throw errors.embeddings({ zimg: zimg.shape, ztxt: ztxt.shape });
  }
  const logits = tf.add(tf.mul(tf.matMul(zimg, ztxt, false, true), t), b);
  const signs = tf.sub(tf.mul(2, tf.eye(batch)), 1);
  return tf.neg(tf.mean(tf.sum(tf.logSigmoid(tf.mul(signs, logits)), 1)));
}
