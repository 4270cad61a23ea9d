// Trees of parameters or gradients as vectors of one space, for what does geometry with them. Traced or eager.

import type { Params } from '../extensions';
import * as tf from '../tensor';
import { leaves, zipNamed } from '../tree';

/** The inner product over all leaves; scalar. */
export function dot(x: Params, y: Params): tf.Tensor {
  return tf.addN(leaves(zipNamed([x, y], (a, b): tf.Tensor => tf.sum(tf.mul(a, b)))));
}

/** The Euclidean norm over all leaves; scalar. */
export function norm(x: Params): tf.Tensor {
  return tf.sqrt(dot(x, x));
}

/** x + c y, for a number or scalar c. */
export function plus(x: Params, c: tf.Tensor | number, y: Params): Params {
  return zipNamed([x, y], (a, b) => tf.add(a, tf.mul(c, b)));
}

/** The part of x across y: what remains of x without its component along y. */
export function across(x: Params, y: Params): Params {
  return plus(x, tf.neg(tf.div(dot(x, y), dot(y, y))), y);
}
