// Optimizer states are made of trees that mirror the parameters.

import type { Params } from '../../core/extensions';
import type { Tensor } from '../../core/tensor';
import { namedLeaves, nest, type NestedRecord, subtree } from '../../core/tree';

/** Maps every leaf to several named results, and returns one tree for each name. A leaf may leave a name out. */
export function mapToTrees<K extends string>(
  tree: Params,
  keys: readonly K[],
  f: (name: string, leaf: Tensor) => { readonly [key in K]?: Tensor },
): Record<K, Params> {
  const results = namedLeaves<Tensor>(tree).map(([name, leaf]) => ({ name, values: f(name, leaf) }));
  const treeOf = (key: K) =>
    nest(
      results.flatMap(({ name, values }) => {
        const value = values[key];
        return value ? [[name, value] as const] : [];
      }),
    );
  return Object.fromEntries(keys.map((key) => [key, treeOf(key)])) as Record<K, Params>;
}

/** The tensor of this name in a state. */
export function stateOf(state: NestedRecord<Tensor>, name: string): Tensor {
  return subtree<Tensor>(state, name) as Tensor;
}
