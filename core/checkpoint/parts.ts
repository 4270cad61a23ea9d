// A checkpoint that several processes write: each its own parts of the arrays, in a file of its own. What a part is of is in
// the file's list of blocks, so that the arrays can be put together by any number of processes.

import { z } from 'zod';
import type { HostArray } from '../array';
import type { ArrayBlock } from '../blocks';

/** What a process has of the array of this name. */
export interface ArrayPart extends ArrayBlock {
  readonly name: string;
}

const count = z.number().int().min(0);

const blockSchema = z.object({ name: z.string(), shape: z.array(count), start: z.array(count) });
/** Which block each array of a file is, by its key there. */
export const blocksSchema = z.record(z.string(), blockSchema);
export type Blocks = z.output<typeof blocksSchema>;

/** Parts under keys that are unique in a file. */
export function keyed(parts: readonly ArrayPart[]): {
  readonly arrays: readonly (readonly [key: string, array: HostArray])[];
  readonly blocks: Blocks;
} {
  const keys = parts.map(({ name, start }) => `${name}@${start.join(',')}`);
  return {
    arrays: parts.map(({ array }, i) => [keys[i] as string, array] as const),
    blocks: Object.fromEntries(
      parts.map(({ name, shape, start }, i) => [keys[i], { name, shape: [...shape], start: [...start] }]),
    ),
  };
}
