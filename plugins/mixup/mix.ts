// What mixup does to arrays. Traced or eager.

import * as tf from '../../core/tensor';

/**
 * a x + (1 - a) roll(x, 1): each example with the one before it in the batch, the first with the last.
 * x: [batch, ...]; a: scalar.
 */
export function mix(a: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const last = (x.shape[0] as number) - 1;
  const begin = x.shape.map((_, axis) => (axis === 0 ? last : 0));
  const rest = [last, ...x.shape.slice(1)];
  const rolled = tf.concat(
    [
      tf.slice(x, begin),
      tf.slice(
        x,
        begin.map(() => 0),
        rest,
      ),
    ],
    0,
  );
  return tf.add(tf.mul(a, x), tf.mul(tf.sub(1, a), rolled));
}

/** The weight of an example in its own mixture: max(a, 1 - a) with a from Beta(p, p); a scalar, or several. */
export function drawWeight(key: tf.Tensor, p: number, shape: readonly number[] = []): tf.Tensor {
  const a = tf.random.beta(key, p, p, shape);
  return tf.maximum(a, tf.sub(1, a));
}
