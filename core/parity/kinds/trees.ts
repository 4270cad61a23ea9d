// Functions on trees, of the original's utils: results as JSON.

import { namedLeaves, type NestedRecord, type Tree } from '../../tree';
import { filterTree, recoverTree, renameTree, type TreeMask } from '../../tree-edit';
import type { ParityRunner } from '../case';

const asJson =
  (f: (args: Readonly<Record<string, unknown>>) => unknown): ParityRunner =>
  async ({ args }) =>
    new Map([['result', JSON.stringify(f(args))]]);

type Plain = NestedRecord<unknown>;

export const treeRunners: Readonly<Record<string, ParityRunner>> = {
  'utils:tree_flatten_with_names': asJson(({ tree }) => namedLeaves(tree as Tree<unknown>)),
  'utils:recover_tree': asJson(({ keys, values }) =>
    recoverTree((keys as string[]).map((key, i) => [key, (values as unknown[])[i]] as const)),
  ),
  'utils:tree_filter': asJson(({ tree, mask }) => filterTree(tree as Plain, mask as TreeMask)),
  'utils:tree_replace': asJson(({ tree, replacements }) =>
    renameTree(tree as Plain, replacements as Record<string, string | null>),
  ),
};
