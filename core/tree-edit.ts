// Choosing and renaming parts of trees of objects, such as the parameters of a checkpoint.

import { isDict, namedLeaves, nest, type NestedRecord, pythonRegex, type Tree } from './tree';

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
 * The tree of slash-joined names, as the original recovers one: of equal names the last counts, and a leaf gives way to
 * names that pass through it.
 */
export function recoverTree<T>(named: Iterable<readonly [name: string, leaf: T]>): NestedRecord<T> {
  const last = new Map(named);
  const inner = new Set(
    [...last.keys()].flatMap((name) => [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index))),
  );
  return nest([...last].filter(([name]) => !inner.has(name)));
}

/**
 * Renames leaves: each pattern is matched at the start of the slash-joined name, in order, and what it matched is
 * replaced; `\1`, `\g<1>` or `\g<name>` in a replacement is a group. A pattern with null removes what its original name
 * matches. Of leaves that get one name the last stays.
 */
export function renameTree<T>(
  tree: NestedRecord<T>,
  replacements: Readonly<Record<string, string | null>>,
): NestedRecord<T> {
  const rules = Object.entries(replacements).map(
    ([pattern, to]) => [pythonRegex(pattern, (body) => `^(?:${body})`), to] as const,
  );
  const removed = (name: string) => rules.some(([pattern, to]) => to === null && pattern.test(name));
  const renamed = (name: string) =>
    rules.reduce((now, [pattern, to]) => {
      const match = to === null ? null : pattern.exec(now);
      return match ? expand(to as string, match) + now.slice(match[0].length) : now;
    }, name);
  const leaves = namedLeaves<T>(tree as Tree<T>).filter(([name]) => !removed(name));
  return recoverTree(leaves.map(([name, leaf]) => [renamed(name), leaf] as const));
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', t: '\t', r: '\r' };

const expand = (to: string, match: RegExpExecArray) =>
  to.replace(/\\(?:g<(\w+)>|(\d{1,2})|([\\ntr]))/g, (_, long?: string, short?: string, escape?: string) => {
    if (escape !== undefined) return escapes[escape] as string;
    const group = (long ?? short) as string;
    return (/^\d/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
  });
