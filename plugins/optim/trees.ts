// Optimizer states are made of trees that mirror the parameters.

import type { Params } from '../../core/extensions';
import type { Tensor } from '../../core/tensor';
import { namedLeaves, nest, type NestedRecord, subtree } from '../../core/tree';

/** Maps every leaf to named results, and returns one tree for each name that some leaf has: `{mu: {head: ...}, nu: ...}`. */
export function mapToTrees(
  tree: Params,
  f: (name: string, leaf: Tensor) => Readonly<Record<string, Tensor>>,
): Record<string, Params> {
  const results = namedLeaves<Tensor>(tree).flatMap(([name, leaf]) =>
    Object.entries(f(name, leaf)).map(([key, value]) => [`${key}/${name}`, value] as const),
  );
  return nest(results) as Record<string, Params>;
}

/** The tensor of this name in a state. */
export function stateOf(state: NestedRecord<Tensor>, name: string): Tensor {
  return subtree<Tensor>(state, name) as Tensor;
}
