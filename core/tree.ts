// Trees: plain nested data (objects and arrays) with leaves of one kind. Parameters, optimizer states, batches
// and the arguments of jitted functions are all trees. Order follows JAX: object keys sorted, arrays by index;
// undefined and null are empty subtrees.

export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> } | undefined | null;

/** A tree of objects alone, as parameters are: `{head: {kernel, bias}}`. */
export interface NestedRecord<T> {
  [key: string]: T | NestedRecord<T>;
}

/** The shape of a tree without its leaves; equal trees have equal `key`s. */
export interface TreeDef {
  readonly key: string;
  readonly size: number;
  readonly node: TreeNode;
}
type TreeNode =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly children: readonly TreeNode[] }
  | { readonly kind: 'dict'; readonly keys: readonly string[]; readonly children: readonly TreeNode[] };

export function isDict(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Splits a tree into its leaves, in order, and what is needed to build it again. */
export function flatten<T>(tree: Tree<T>): { leaves: T[]; treedef: TreeDef } {
  const leaves: T[] = [];
  const keyParts: string[] = [];
  const visit = (value: unknown): TreeNode => {
    if (value === undefined || value === null) {
      keyParts.push('-');
      return { kind: 'none' };
    }
    if (Array.isArray(value)) {
      keyParts.push('[');
      const children = value.map(visit);
      keyParts.push(']');
      return { kind: 'list', children };
    }
    if (isDict(value)) {
      const keys = Object.keys(value).sort();
      keyParts.push('{');
      const children = keys.map((key) => {
        keyParts.push(JSON.stringify(key));
        return visit(value[key]);
      });
      keyParts.push('}');
      return { kind: 'dict', keys, children };
    }
    leaves.push(value as T);
    keyParts.push('*');
    return { kind: 'leaf' };
  };
  const node = visit(tree);
  return { leaves, treedef: { key: keyParts.join(''), size: leaves.length, node } };
}

export function unflatten<T>(treedef: TreeDef, leaves: readonly T[]): Tree<T> {
  if (leaves.length !== treedef.size) {
    throw new Error(`unflatten: the tree has ${treedef.size} leaves, got ${leaves.length}`);
  }
  let next = 0;
  const build = (node: TreeNode): Tree<T> => {
    switch (node.kind) {
      case 'leaf':
        return leaves[next++] as T;
      case 'none':
        return undefined;
      case 'list':
        return node.children.map(build);
      case 'dict': {
        // Built key by key: a train step makes some thousand of these entries each time.
        const { keys, children } = node;
        const dict: Record<string, Tree<T>> = {};
        for (let i = 0; i < keys.length; i++) define(dict, keys[i] as string, build(children[i] as TreeNode));
        return dict;
      }
    }
  };
  return build(treedef.node);
}

/** Assignment that takes `__proto__` for a name like any other. */
function define<T>(dict: Record<string, T>, key: string, value: T): void {
  if (key !== '__proto__') dict[key] = value;
  else Object.defineProperty(dict, key, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * Appends the leaves of a tree to `into`, in flatten order, if its structure is that of `treedef`: cheaper than to flatten
 * it and compare keys.
 *
 * @returns whether it is; `into` has some of the leaves otherwise.
 */
export function collectLeaves(treedef: TreeDef, tree: Tree<unknown>, into: unknown[]): boolean {
  const visit = (node: TreeNode, value: unknown): boolean => {
    switch (node.kind) {
      case 'leaf':
        if (value === undefined || value === null || Array.isArray(value) || isDict(value)) return false;
        into.push(value);
        return true;
      case 'none':
        return value === undefined || value === null;
      case 'list':
        return (
          Array.isArray(value) &&
          value.length === node.children.length &&
          node.children.every((child, i) => visit(child, value[i]))
        );
      case 'dict': {
        if (!isDict(value)) return false;
        const { keys, children } = node;
        let count = 0;
        for (const key in value) if (Object.hasOwn(value, key)) count++;
        if (count !== keys.length) return false;
        for (let i = 0; i < keys.length; i++) {
          const key = keys[i] as string;
          if (!Object.hasOwn(value, key) || !visit(children[i] as TreeNode, value[key])) return false;
        }
        return true;
      }
    }
  };
  return visit(treedef.node, tree);
}

export function leaves<T>(tree: NestedRecord<T>): T[];
export function leaves<T>(tree: Tree<T>): T[];
export function leaves<T>(tree: Tree<T>): T[] {
  return flatten(tree).leaves;
}

/** Maps the leaves of one tree; `T` can't be inferred through a mapped structure, so the result keeps `R`. */
export function mapTree<T, U, R extends Tree<U> = Tree<U>>(tree: Tree<T>, f: (leaf: T) => U): R {
  const { leaves, treedef } = flatten(tree);
  return unflatten(treedef, leaves.map(f)) as R;
}

/** Every leaf with its slash-joined name, in flatten order: `['head/kernel', leaf]`. */
export function namedLeaves<T>(tree: NestedRecord<T>): [name: string, leaf: T][];
export function namedLeaves<T>(tree: Tree<T>): [name: string, leaf: T][];
export function namedLeaves<T>(tree: Tree<T>): [name: string, leaf: T][] {
  const found: [string, T][] = [];
  const visit = (value: unknown, path: string[]): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) value.forEach((child, i) => visit(child, [...path, String(i)]));
    else if (isDict(value)) for (const key of Object.keys(value).sort()) visit(value[key], [...path, key]);
    else found.push([path.join('/'), value as T]);
  };
  visit(tree, []);
  return found;
}

/** The nested tree of slash-joined names: the inverse of `namedLeaves` for trees of objects. */
export function nest<T>(named: Iterable<readonly [name: string, leaf: T]>): NestedRecord<T> {
  // Maps until the end: names come from files, and `constructor` or `__proto__` must be names like any other.
  type Node = Map<string, Node | { readonly leaf: T }>;
  const root: Node = new Map();
  for (const [name, leaf] of named) {
    const path = name.split('/');
    const last = path.pop() as string;
    let node = root;
    for (const key of path) {
      const child = node.get(key) ?? new Map<string, never>();
      if (!(child instanceof Map)) throw new Error(`nest: "${name}" passes through the leaf "${key}"`);
      node.set(key, child);
      node = child;
    }
    if (node.has(last)) throw new Error(`nest: "${name}" is there twice`);
    node.set(last, { leaf });
  }
  const plain = (node: Node): NestedRecord<T> =>
    Object.fromEntries(
      [...node].map(([key, child]) => [key, child instanceof Map ? plain(child) : child.leaf]),
    );
  return plain(root);
}

/** Maps leaves with their names. */
export function mapNamed<T, U>(tree: NestedRecord<T>, f: (name: string, leaf: T) => U): NestedRecord<U> {
  return nest(namedLeaves<T>(tree as Tree<T>).map(([name, leaf]) => [name, f(name, leaf)] as const));
}

/** Maps the leaves that stand at the same place of several trees, which have the names of the first. */
export function zipNamed<T, U>(
  [first, ...rest]: readonly [NestedRecord<T>, ...NestedRecord<T>[]],
  f: (...leaves: T[]) => U,
): NestedRecord<U> {
  return mapNamed(first, (name, leaf) => f(leaf, ...rest.map((tree) => subtree(tree as Tree<T>, name) as T)));
}

/** The subtree or leaf at a slash-joined name, or undefined. The empty name is the tree itself. */
export function subtree<T>(tree: Tree<T>, name: string): Tree<T> {
  let node: unknown = tree;
  for (const key of name === '' ? [] : name.split('/')) {
    if (Array.isArray(node)) node = node[Number(key)] as unknown;
    else if (isDict(node) && Object.hasOwn(node, key)) node = node[key];
    else return undefined;
  }
  return node as Tree<T>;
}

/** A pattern as the original's configs write it: it must match the whole slash-joined name. */
export function fullMatch(pattern: string): RegExp {
  return pythonRegex(pattern, (body) => `^(?:${body})$`);
}

/** A regular expression of Python's: flags may stand in front as (?i), a named group is (?P<name>...), and \Z is the end. */
export function pythonRegex(pattern: string, anchored: (body: string) => string): RegExp {
  const [front = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const body = pattern
    .slice(front.length)
    .replace(/\(\?P<(\w+)>/g, '(?<$1>')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\\Z/g, '$$');
  return new RegExp(anchored(body), flags);
}

/** For each name the index of the first pattern that matches it whole, or -1. */
export function firstMatches(names: readonly string[], patterns: readonly string[]): number[] {
  const regexes = patterns.map(fullMatch);
  return names.map((name) => regexes.findIndex((regex) => regex.test(name)));
}
