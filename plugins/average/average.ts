// What averaging does to numbers. Traced or eager.

import type { Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { mapNamed, subtree } from '../../core/tree';

/**
 * The weight of the newest parameters in their average after `step` updates (int32 scalar, from 1): 1/n for the n-th that
 * is averaged, so that the average is the mean of all and owes nothing to the initial values, but no less than 1 - decay:
 * from there on it is an exponential average. Before `start` it is 1.
 */
export function averageWeight(step: tf.Tensor, start: number, decay: number): tf.Tensor {
  const n = tf.maximum(tf.sub(tf.cast(step, 'float32'), start), 1);
  return tf.maximum(tf.div(1, n), 1 - decay);
}

/** average + weight (params - average), for the leaves that the average has; exactly the parameters at weight 1. */
export function moveTowards(average: Params, params: Params, weight: tf.Tensor): Params {
  return mapNamed<tf.Tensor, tf.Tensor>(average, (name, old) =>
    tf.add(tf.mul(tf.sub(1, weight), old), tf.mul(weight, subtree<tf.Tensor>(params, name) as tf.Tensor)),
  );
}
