// The arguments of a jitted call: leaves of trees, static data, and what tells one program from another.

import { Tensor } from '@tensorflow/tfjs-core';
import { TensorSpec } from '../../../core/runtime';
import { flatten, namedLeaves, type Tree, type TreeDef } from '../../../core/tree';

/** A call's arguments, taken apart. */
export interface FlatArguments {
  /** One for each argument; undefined for static ones. */
  readonly treedefs: readonly (TreeDef | undefined)[];
  /** The leaves of all arguments in order. */
  readonly leaves: readonly unknown[];
  /** Of each leaf, which argument it belongs to. */
  readonly owners: readonly number[];
  /** Structures and static values: all of the cache key but the types of the leaves. */
  readonly key: string;
}

export function flattenArguments(args: readonly unknown[], isStatic: readonly boolean[]): FlatArguments {
  const treedefs: (TreeDef | undefined)[] = [];
  const leaves: unknown[] = [];
  const owners: number[] = [];
  let key = '';
  for (let i = 0; i < args.length; i++) {
    if (isStatic[i]) {
      treedefs.push(undefined);
      key += `s${JSON.stringify(args[i])};`;
      continue;
    }
    const { leaves: own, treedef } = flatten(args[i] as Tree<unknown>);
    treedefs.push(treedef);
    key += `${treedef.key};`;
    for (const leaf of own) {
      leaves.push(leaf);
      owners.push(i);
    }
  }
  return { treedefs, leaves, owners, key };
}

/** The static values of a call, as a key. */
export function staticKey(args: readonly unknown[], isStatic: readonly boolean[]): string {
  let key = '';
  for (let i = 0; i < args.length; i++) if (isStatic[i]) key += `${JSON.stringify(args[i])};`;
  return key;
}

/** For messages: `argument 0 head/kernel`. */
export function leafNames(args: readonly unknown[], isStatic: readonly boolean[]): string[] {
  return args.flatMap((arg, i) =>
    isStatic[i]
      ? []
      : namedLeaves(arg as Tree<unknown>).map(([name]) =>
          name === '' ? `argument ${i}` : `argument ${i} ${name}`,
        ),
  );
}

/** For messages: what stands where a tensor should. */
export function describeLeaf(leaf: unknown): string {
  if (leaf instanceof Tensor) return 'a tensor';
  if (leaf instanceof TensorSpec) return 'a TensorSpec';
  if (typeof leaf === 'function') return 'a function';
  if (typeof leaf === 'object' && leaf !== null) return `a ${leaf.constructor.name}`;
  return `the ${typeof leaf} ${String(leaf)}`;
}
