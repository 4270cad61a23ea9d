// Gradients of a large batch as the mean of those of its parts, one after the other. Traced.

import type { Batch, Params } from '../../core/extensions';
import type { GradientFn, GradientResult, LossFn, StepContext } from '../../core/hooks';
import * as tf from '../../core/tensor';
import { flatten, mapTree, type NestedRecord, type Tree, unflatten } from '../../core/tree';

type Summed = Pick<GradientResult, 'loss' | 'grads' | 'metrics'>;

/**
 * The gradient of a loss that is a mean over examples, from `steps` parts of the batch; so is the loss, and so are the
 * metrics. Memory for activations is that of one part. What the loss keeps in `extra` goes from part to part, and each
 * part but the first has a key of its own.
 *
 * Part i has every `steps`-th example from the i-th on, so that each device has its share of every part.
 */
export const accumulateGradient =
  (gradients: GradientFn, steps: number): GradientFn =>
  (loss: LossFn, params: Params, batch: Batch, context: StepContext): GradientResult => {
    if (steps <= 1) return gradients(loss, params, batch, context);
    const parts = Object.entries(batch).map(([name, x]) => [name, tf.unstack(inParts(x, steps), 1)] as const);
    const partOf = (i: number): Batch =>
      Object.fromEntries(parts.map(([name, values]) => [name, values[i] as tf.Tensor]));

    const { extra: changed, ...first } = gradients(loss, params, partOf(0), context);
    const rest = Object.fromEntries(parts.map(([name, values]) => [name, tf.stack(values.slice(1))]));
    const indices = tf.range(1, steps, 1, 'int32');
    type Carry = { readonly sum: Summed; readonly extra: NestedRecord<tf.Tensor> };
    type Slice = { readonly part: Batch; readonly i: tf.Tensor };
    const [{ sum, extra }] = tf.scan(
      ({ sum, extra }: Carry, { part, i }: Slice) => {
        const own = {
          ...context,
          rng: tf.random.foldIn(context.rng, i),
          extra: { ...context.extra, ...extra },
        };
        const { extra: next, ...result } = gradients(loss, params, part, own);
        return [{ sum: plus(sum, result), extra: { ...extra, ...next } }, {}] as const;
      },
      { sum: first, extra: changed ?? {} } as unknown as Tree<tf.Tensor> & Carry,
      { part: rest, i: indices } as unknown as Tree<tf.Tensor> & Slice,
    );
    const mean = mapTree<tf.Tensor, tf.Tensor>(sum as unknown as Tree<tf.Tensor>, (x) => tf.div(x, steps));
    return { ...(mean as unknown as Summed), ...(changed && { extra }) };
  };

/** [batch, ...] as [batch / steps, steps, ...]. */
function inParts(x: tf.Tensor, steps: number): tf.Tensor {
  const [batch, ...shape] = x.shape as [number, ...number[]];
  return tf.reshape(x, [batch / steps, steps, ...shape]);
}

function plus(a: Summed, b: Summed): Summed {
  const [first, second] = [a, b].map((x) => flatten<tf.Tensor>(x as unknown as Tree<tf.Tensor>)) as [
    Flat,
    Flat,
  ];
  const sums = first.leaves.map((leaf, i) => tf.add(leaf, second.leaves[i] as tf.Tensor));
  return unflatten(first.treedef, sums) as unknown as Summed;
}
type Flat = ReturnType<typeof flatten<tf.Tensor>>;
