// Gradients over trees of parameters.

import type { Params } from '../extensions';
import type { GradientResult, LossResult } from '../hooks';
import * as tf from '../tensor';
import { flatten, mapTree, type NestedRecord, type Tree, unflatten } from '../tree';

/** The gradient of a scalar loss at `params`; what the loss returns beside it comes along. Traced or eager. */
export function valueAndGrad(loss: (params: Params) => LossResult, params: Params): GradientResult {
  const { leaves, treedef } = flatten<tf.Tensor>(params);
  let rest: Tree<tf.Tensor>;
  const { value, grads } = tf.valueAndGrads((...args: tf.Tensor[]) => {
    const result = loss(unflatten(treedef, args) as Params);
    // tfjs disposes of all that is made here but the loss: what else is returned has to be kept over its scope.
    rest = mapTree<tf.Tensor, tf.Tensor>({ metrics: result.metrics, extra: result.extra }, (t) =>
      tf.keep(tf.clone(t)),
    );
    return result.loss as tf.Scalar;
  })(leaves);
  const kept = flatten(rest as Tree<tf.Tensor>);
  const { metrics, extra } = unflatten(
    kept.treedef,
    kept.leaves.map((t) => tf.clone(t)),
  ) as { metrics?: Record<string, tf.Tensor>; extra?: NestedRecord<tf.Tensor> };
  tf.dispose(kept.leaves);
  return { loss: value, grads: unflatten(treedef, grads) as Params, metrics, extra };
}

/** sqrt of the sum of squares over all leaves; scalar. */
export function globalNorm(leaves: readonly tf.Tensor[]): tf.Tensor {
  return tf.sqrt(tf.addN(leaves.map((leaf) => tf.sum(tf.square(leaf)))));
}
