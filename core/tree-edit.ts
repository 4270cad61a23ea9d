// Choosing and renaming parts of trees of objects, such as the parameters of a checkpoint.

import { isDict, namedLeaves, nest, type NestedRecord, type Tree } from './tree';

/** Which children to keep: false leaves one out with all that is in it, true keeps it whole. */
export type TreeMask = boolean | { readonly [key: string]: TreeMask };

/** The part of a tree that a mask keeps. Both have to have the same keys. */
export function filterTree<T>(tree: NestedRecord<T>, mask: TreeMask): NestedRecord<T> {
  if (!isDict(mask)) return tree;
  const [keys, known] = [Object.keys(tree).sort(), Object.keys(mask).sort()];
  if (keys.join() !== known.join())
    throw new Error(`The tree has the keys ${keys.join(', ')}, and the mask ${known.join(', ')}`);
  const kept = Object.entries(tree).filter(([key]) => mask[key] !== false);
  return Object.fromEntries(
    kept.map(([key, child]) => {
      const inside = mask[key] as TreeMask;
      return [key, isDict(child) ? filterTree(child as NestedRecord<T>, inside) : child];
    }),
  );
}

/**
 * Renames leaves: each pattern is matched at the start of the slash-joined name, in order, and what it matched is
 * replaced; `\1` or `\g<1>` in a replacement is a group. A pattern with null removes what its original name matches.
 */
export function renameTree<T>(
  tree: NestedRecord<T>,
  replacements: Readonly<Record<string, string | null>>,
): NestedRecord<T> {
  const rules = Object.entries(replacements).map(
    ([pattern, to]) => [new RegExp(`^(?:${pattern})`), to] as const,
  );
  const removed = (name: string) => rules.some(([pattern, to]) => to === null && pattern.test(name));
  const renamed = (name: string) =>
    rules.reduce((now, [pattern, to]) => {
      const match = to === null ? null : pattern.exec(now);
      return match ? expand(to as string, match) + now.slice(match[0].length) : now;
    }, name);
  const leaves = namedLeaves<T>(tree as Tree<T>).filter(([name]) => !removed(name));
  return nest(leaves.map(([name, leaf]) => [renamed(name), leaf] as const));
}

const expand = (to: string, match: RegExpExecArray) =>
  to.replace(
    /\\(?:g<(\d+)>|(\d))/g,
    (_, long?: string, short?: string) => match[Number(long ?? short)] ?? '',
  );
