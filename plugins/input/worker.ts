// What a worker thread does: opens the workspace's plugins, and fills parts of batches in shared memory.

import { workerData } from 'node:worker_threads';
import { openSession, type Session } from '../../core/workspace/session';
import type { First } from './arrays';
import { type ErrorMessage, toMessage } from './errors';
import { Examples, type Recipe } from './examples';
import { fill, type Part } from './fill';
import { HostArray, type ArraySpec, type TypedArrayOf } from '../../core/array';

export interface WorkerData {
  /** The workspace. */
  readonly root: string;
}

export interface PartTask extends Omit<Part, 'batch'> {
  readonly recipe: Recipe;
  /** Names the recipe, so that a worker opens it once. */
  readonly id: string;
  readonly first: First;
  /** The whole batch's arrays, over shared memory. */
  readonly batch: {
    readonly [name: string]: ArraySpec & { readonly data: TypedArrayOf[ArraySpec['dtype']] };
  };
  /** Not 0 when nobody wants the batch any more. */
  readonly stop: Int32Array;
}

let session: Session | undefined;
const opened = new Map<string, Promise<Examples>>();

/** Failures come back as data: a class would lose its type on the way. */
export default async function fillPart(task: PartTask): Promise<ErrorMessage | undefined> {
  try {
    session ??= openSession((workerData as WorkerData).root);
    const { registry, container } = session;
    const examples = opened.get(task.id) ?? Examples.open(task.recipe, registry, container);
    opened.set(task.id, examples);
    const batch = Object.fromEntries(
      Object.entries(task.batch).map(([name, { dtype, shape, data }]) => [
        name,
        new HostArray(dtype, shape, data),
      ]),
    );
    await fill(await examples, task.first, { ...task, batch }, () => Atomics.load(task.stop, 0) !== 0);
    return undefined;
  } catch (error) {
    return toMessage(error);
  }
}
