import * as tf from '../../core/tensor';

/**
 * True on the diagonal of [batch, batch], made in the program: the numbers of tf.eye would be an argument of every step.
 * Also of a batch of one, which tf.oneHot refuses.
 */
export function ownPairs(batch: number): tf.Tensor {
  const index = tf.range(0, batch, 1, 'int32');
  return tf.equal(tf.expandDims(index, 1), tf.expandDims(index, 0));
}
