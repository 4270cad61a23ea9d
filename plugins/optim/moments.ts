// Means of gradients, and of their squares, that decay exponentially.

import * as tf from '../../core/tensor';

/** decay mean + (1 - decay) x */
export function average(decay: number, x: tf.Tensor, mean: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(1 - decay, x), tf.mul(decay, mean));
}

/** 1 - decay^t: the weight that t steps have in a mean that started at 0. */
export function weight(decay: number, t: tf.Tensor): tf.Tensor {
  return tf.sub(1, tf.pow(decay, t));
}

/** From the mean m of gradients, the last of them g, to the mean without the bias of its start; with `nesterov`, one step ahead. */
export function unbiasedMean(decay: number, t: tf.Tensor, nesterov = false) {
  const now = weight(decay, t);
  if (!nesterov) return (m: tf.Tensor, _g: tf.Tensor) => tf.div(m, now);
  const next = weight(decay, tf.add(t, 1));
  return (m: tf.Tensor, g: tf.Tensor) =>
    tf.add(tf.mul(decay, tf.div(m, next)), tf.mul(1 - decay, tf.div(g, now)));
}
