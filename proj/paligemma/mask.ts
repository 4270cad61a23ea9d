// Which tokens see which.

import * as tf from '../../core/tensor';

/**
 * A token sees those whose block isn't after its own. A 1 of `maskAr` begins a block: 1s alone are a causal mask, 0s before 1s
 * a prefix that sees itself as a whole. Padding neither sees nor is seen.
 * @param inputMask bool [batch, length]: false for padding
 * @param maskAr int32 [batch, length]
 * @returns bool [batch, length, length]
 */
export function attentionMask(inputMask: tf.Tensor, maskAr: tf.Tensor): tf.Tensor {
  return blockMask(inputMask, tf.cumsum(tf.cast(maskAr, 'int32'), 1));
}

/**
 * The same, of the blocks' numbers.
 * @param block int32 [batch, length]
 */
export function blockMask(inputMask: tf.Tensor, block: tf.Tensor): tf.Tensor {
  const before = tf.lessEqual(tf.expandDims(block, 1), tf.expandDims(block, 2));
  return tf.logicalAnd(before, tf.logicalAnd(tf.expandDims(inputMask, 1), tf.expandDims(inputMask, 2)));
}
