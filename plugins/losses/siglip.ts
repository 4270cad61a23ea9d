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
 *
 * @param parts as many as there are devices with a share of the batch: each compares its images with the texts of one part
 *   after the other, which go round, so that none ever holds more than [batch / parts, batch / parts] of the similarities.
 *   It divides the batch. The loss is the same.
 */
export function siglipLoss(
  { zimg, ztxt, t, b }: SiglipInputs,
  { parts = 1 }: { readonly parts?: number } = {},
): tf.Tensor {
  const [batch, width] = zimg.shape as [number, number];
  if (zimg.rank !== 2 || zimg.shape.join() !== ztxt.shape.join()) {
    throw errors.embeddings({ zimg: zimg.shape, ztxt: ztxt.shape });
  }
  if (batch % parts !== 0) throw errors.parts({ batch, parts });
  const own = tf.eye(batch / parts);
  /** For each image, with texts that are all their own's (`paired` 1) or all others' (0). */
  const loss = (images: tf.Tensor, texts: tf.Tensor, paired: tf.Tensor | number) => {
    const logits = tf.add(tf.mul(tf.matMul(images, texts, false, true), t), b);
    const signs = tf.sub(tf.mul(2, tf.mul(own, paired)), 1);
    return tf.neg(tf.sum(tf.logSigmoid(tf.mul(signs, logits)), -1));
  };
  if (parts === 1) return tf.mean(loss(zimg, ztxt, 1));

  const split = (z: tf.Tensor) => onDevices(tf.reshape(z, [parts, batch / parts, width]));
  const images = split(zimg);
  const paired = tf.cast(tf.equal(tf.range(0, parts, 1, 'int32'), 0), 'float32');
  type Carry = { readonly texts: tf.Tensor; readonly sum: tf.Tensor };
  const [{ sum }] = tf.scan(
    ({ texts, sum }: Carry, paired: tf.Tensor): readonly [Carry, []] => [
      { texts: onDevices(goneRound(texts)), sum: tf.add(sum, loss(images, texts, paired)) },
      [],
    ],
    { texts: split(ztxt), sum: tf.zeros([parts, batch / parts]) },
    paired,
    { remat: 'nothing_saveable' },
  );
  return tf.mean(sum);
}

/** [parts, ...], a part on each device. */
const onDevices = (x: tf.Tensor) => tf.shardingConstraint(x, ['act_batch', null, null]);

/** Each part in the place of the one before it. */
const goneRound = (x: tf.Tensor) => {
  const [first, ...rest] = tf.split(x, [1, (x.shape[0] as number) - 1]) as [tf.Tensor, tf.Tensor];
  return tf.concat([...rest, first], 0);
};
