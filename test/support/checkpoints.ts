// What is in a run's checkpoints, for tests.

import type { HostArray } from '../../core/array';
import type { NativeReader } from '../../core/checkpoint/native';
import { type CheckpointStore, findCheckpoint } from '../../core/checkpoint/store';

export interface Content {
  readonly step: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly arrays: readonly (readonly [name: string, array: HostArray])[];
}

export async function contentOf(reader: NativeReader): Promise<Content> {
  try {
    const arrays: [string, HostArray][] = [];
    for (const name of reader.names) arrays.push([name, await reader.read(name)]);
    return { step: reader.step, meta: reader.meta, arrays };
  } finally {
    await reader.close();
  }
}

/** Of the newest intact checkpoint of a workdir, or of a folder of checkpoints. */
export const newestContent = async (location: string): Promise<Content> =>
  contentOf(await findCheckpoint(location, () => undefined));

/** Of where a store goes on; undefined if there is none. */
export async function latestContent(store: CheckpointStore): Promise<Content | undefined> {
  const reader = await store.latest();
  return reader && contentOf(reader);
}
