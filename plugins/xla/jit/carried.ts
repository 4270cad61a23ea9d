// State that a program takes and gives back, step after step. Nobody looks at it in most steps, so its tensors are made
// only when somebody does: with some thousand arrays those objects cost more than the call of the program.

import { type Tensor } from '@tensorflow/tfjs-core';
import { flatten, isDict, type Tree, type TreeDef, unflatten } from '../../../core/tree';
import type { Donated, XlaBackend } from '../backend';
import { errors } from '../errors';
import type { ArrayType } from '../mesh';
import type { BufferList } from '../pjrt';

/** The part of a program's results that is as one of its donated arguments. */
export interface CarriedPart {
  /** The results are an object, and this is under a key of it. */
  readonly name: string;
  readonly treedef: TreeDef;
  readonly types: readonly ArrayType[];
  /** Of the other results. */
  readonly rest: TreeDef;
  /** Its first leaf among the results'. */
  readonly first: number;
  /** Equal for equal structures and types. */
  readonly key: string;
}

export const carriedKey = ({ key }: TreeDef, types: readonly ArrayType[]) =>
  `${key}${types.map(({ id }) => id).join()}`;

/** @param donated keys of the donated arguments. */
export function findCarried(
  outputTree: TreeDef,
  outputs: readonly ArrayType[],
  donated: ReadonlySet<string>,
): CarriedPart | undefined {
  const indices = unflatten(
    outputTree,
    outputs.map((_, i) => i),
  );
  if (!isDict(indices)) return undefined;
  for (const name of Object.keys(indices)) {
    const { leaves, treedef } = flatten(indices[name] as Tree<number>);
    if (treedef.node.kind !== 'dict') continue;
    const types = leaves.map((i) => outputs[i]!);
    const key = carriedKey(treedef, types);
    if (types.length === 0 || !donated.has(key)) continue;
    const { [name]: _, ...others } = indices;
    const { treedef: rest } = flatten(others as Tree<number>);
    return { name, treedef, types, rest, first: leaves[0]!, key };
  }
  return undefined;
}

const carriedTrees = new WeakMap<object, Carried>();

/** The arrays of a tree that nobody has looked into. */
export function carriedIn(tree: unknown): Carried | undefined {
  const carried = isDict(tree) ? carriedTrees.get(tree) : undefined;
  return carried?.isClosed && carried.isWhole(tree as object) ? carried : undefined;
}

export class Carried {
  private opened: Record<string, Tree<Tensor>> | undefined;
  private taken: Donated | undefined;

  constructor(
    readonly backend: XlaBackend,
    readonly part: CarriedPart,
    /** One for each device. */
    readonly lists: readonly BufferList[],
  ) {}

  get isClosed(): boolean {
    return this.opened === undefined && this.taken === undefined;
  }

  /** What users get: an object that makes its tensors when one of them is asked for. */
  tree(): Tree<Tensor> {
    const tree = {};
    for (const key of this.keys) {
      Object.defineProperty(tree, key, {
        enumerable: true,
        configurable: true,
        get: () => this.open()[key],
        set: (value: Tree<Tensor>) => (this.open()[key] = value),
      });
    }
    carriedTrees.set(tree, this);
    return tree;
  }

  /** Whether keys were neither added nor removed. */
  isWhole(tree: object): boolean {
    const { keys } = this;
    return Object.keys(tree).length === keys.length && keys.every((key) => Object.hasOwn(tree, key));
  }

  /** Marks it as a program's. The lists have to be disposed by the caller, when that program is over. */
  take(gone: Donated): readonly BufferList[] {
    this.taken = gone;
    return this.lists;
  }

  private get keys(): readonly string[] {
    const { node } = this.part.treedef;
    return node.kind === 'dict' ? node.keys : [];
  }

  private open(): Record<string, Tree<Tensor>> {
    this.opened ??= unflatten(this.part.treedef, this.tensors()) as Record<string, Tree<Tensor>>;
    return this.opened;
  }

  private tensors(): Tensor[] {
    const { backend, taken } = this;
    const { types } = this.part;
    if (taken) {
      return types.map(({ type, shape }) => {
        const tensor = backend.tensor(type, shape, taken);
        backend.donate(tensor, tensor.dataId as Parameters<XlaBackend['donate']>[1], taken);
        return tensor;
      });
    }
    if (this.lists.some(({ isDeleted }) => isDeleted)) throw errors.runtimeGone();
    const buffers = this.lists.map((list) => list.buffers());
    backend.dispatched(buffers[0]![0]);
    return types.map((arrayType, i) => {
      const tensor = backend.arrayTensor({ arrayType, buffers: buffers.map((list) => list[i]!) });
      // The tidy in which it is looked at isn't the one in which it was made.
      tensor.kept = true;
      return tensor;
    });
  }
}
