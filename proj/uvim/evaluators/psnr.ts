// Peak signal-to-noise ratio of images.

import * as tf from '../../../core/tensor';

/** 20 log10(range) - 10 log10(mean squared difference) of each image: peak signal-to-noise ratio in dB. [batch, ...]. */
export function psnr(a: tf.Tensor, b: tf.Tensor, range: number): tf.Tensor {
  const axes = a.shape.slice(1).map((_, i) => i + 1);
  const decibels = tf.mul(tf.log(tf.mean(tf.squaredDifference(a, b), axes)), 10 / Math.LN10);
  return tf.sub(20 * Math.log10(range), decibels);
}
