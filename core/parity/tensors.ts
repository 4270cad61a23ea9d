// Arrays to the device(s) and back, for runners of cases.

import type { HostArray } from '../array';
import type { Runtime } from '../runtime';
import type * as tf from '../tensor';
import { mapTree, namedLeaves, type NestedRecord, type Tree } from '../tree';

/** The part of a runtime that this takes. */
type Sender = Pick<Runtime, 'toDevice'>;
type Fetcher = Pick<Runtime, 'toHost'>;

/** The arrays of a tree on the device. */
export function sendAll(runtime: Sender, tree: NestedRecord<HostArray>): NestedRecord<tf.Tensor> {
  return mapTree(tree as Tree<HostArray>, (array: HostArray) => runtime.toDevice(array));
}

/** The leaves of a tree in host memory, by name. */
export async function fetchAll(
  runtime: Fetcher,
  tree: Tree<tf.Tensor>,
  prefix = '',
): Promise<Map<string, HostArray>> {
  const entries = namedLeaves<tf.Tensor>(tree).map(
    async ([name, x]) => [prefix + name, await runtime.toHost(x)] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Cases name models and evaluators by their path in the original, `proj/flexi/vit`; plugins by its module's name. */
export const registeredName = (name: string): string => name.replaceAll('/', '.');
