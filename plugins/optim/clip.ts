// Clipping of gradients by their norm (arXiv:1211.5063).

import * as tf from '../../core/tensor';
import { globalNorm } from '../../core/train/gradients';

/** g * max / norm where the norm of all gradients together reaches max; otherwise unchanged. */
export function clipByGlobalNorm(grads: readonly tf.Tensor[], max: number): tf.Tensor[] {
  const norm = globalNorm(grads);
  const factor = tf.where(tf.less(norm, max), 1, tf.div(max, norm));
  return grads.map((g) => tf.mul(g, factor));
}

/**
 * Mean over examples of gradients that are each clipped by their own global norm, as in differentially private SGD
 * (arXiv:1607.00133). Every gradient has a leading axis of examples.
 */
export function clipByPerExampleGlobalNorm(grads: readonly tf.Tensor[], max: number): tf.Tensor[] {
  const examples = (grads[0] as tf.Tensor).shape[0] as number;
  const flat = grads.map((g) => tf.reshape(g, [examples, -1]));
  const norms = tf.sqrt(tf.addN(flat.map((g) => tf.sum(tf.square(g), 1, true))));
  // An example whose gradient is 0 stays as it is.
  const factors = tf.where(tf.greater(norms, 0), tf.minimum(tf.div(max, norms), 1), tf.onesLike(norms));
  return flat.map((g, i) =>
    tf.reshape(tf.mean(tf.mul(g, factors), 0), (grads[i] as tf.Tensor).shape.slice(1)),
  );
}
