// Equal blocks one after the other, whose parameters are separate or stacked.

import type { LayerScan, Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { flatten, type Tree, unflatten } from '../../core/tree';

export interface BlocksOptions<X extends Tree<tf.Tensor>> extends Pick<
  LayerScan<X>,
  'axis' | 'remat' | 'xs'
> {
  readonly depth: number;
  /** Parameters are stacked, and a compiled program has one block. `axis` and `remat` are for it alone: see `Scope.scan`. */
  readonly scan: boolean;
  /** What the stack is called. */
  readonly name: string;
  /** Separate blocks by their numbers. */
  readonly block: (i: number) => Scope;
}

/**
 * @param x what the first block gets; each other gets what the one before gave
 * @param body of a block's scope, what it gets and its slice of `xs` along the leading axis: what it gives, and any tree beside
 * @returns what the last block gave, and the trees stacked on a new leading axis
 */
export function throughBlocks<Out extends Tree<tf.Tensor>, X extends Tree<tf.Tensor> = undefined>(
  scope: Scope,
  x: tf.Tensor,
  body: (block: Scope, x: tf.Tensor, slice: X) => readonly [tf.Tensor, Out],
  { depth, scan, name, block, ...options }: BlocksOptions<X>,
): [tf.Tensor, Out] {
  if (scan) return scope.scan(name, depth, body, x, options);
  const { leaves, treedef } = flatten<tf.Tensor>(options.xs);
  const slices = leaves.map((leaf) => tf.unstack(leaf));
  let last = x;
  const outs = Array.from({ length: depth }, (_, i) => {
    const slice = unflatten(treedef, slices.map((parts) => parts[i] as tf.Tensor)) as X; // prettier-ignore
    const [next, out] = body(block(i), last, slice);
    last = next;
    return out;
  });
  return [last, stackTrees(outs)];
}

/** Trees of one structure as one of stacked leaves. */
function stackTrees<Out extends Tree<tf.Tensor>>(trees: readonly Out[]): Out {
  const flat = trees.map((tree) => flatten<tf.Tensor>(tree));
  const stacked = flat[0]!.leaves.map((_, i) => tf.stack(flat.map(({ leaves }) => leaves[i] as tf.Tensor)));
  return unflatten(flat[0]!.treedef, stacked) as Out;
}
