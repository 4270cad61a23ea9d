// A checkpoint that several processes write: each its own parts of the arrays, in a file of its own. What a part is of is in
// the file's list of blocks, so that the arrays can be put together by any number of processes.

import { z } from 'zod';
import { allocate, bytesOf, bytesPerElement, type HostArray, sizeOf } from '../array';
import { type ArrayBlock, paste } from '../blocks';

/** What a process has of the array of this name. */
export interface ArrayPart extends ArrayBlock {
  readonly name: string;
}

const count = z.number().int().min(0);

const blockSchema = z.object({ name: z.string(), shape: z.array(count), start: z.array(count) });
/** A part without its values. */
export type Block = z.output<typeof blockSchema>;

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

/**
 * The whole arrays, in the order of their names. A block that several processes have counts once.
 * @throws Error that names an array of which something is missing or doesn't fit.
 */
export function assemble(parts: readonly ArrayPart[]): [name: string, array: HostArray][] {
  const byName = new Map<string, ArrayPart[]>();
  for (const part of parts) byName.set(part.name, [...(byName.get(part.name) ?? []), part]);
  return [...byName.keys()].sort().map((name) => [name, join(name, byName.get(name) as ArrayPart[])]);
}

function join(name: string, parts: readonly ArrayPart[]): HostArray {
  const distinct = [...new Map(parts.map((part) => [part.start.join(), part])).values()];
  const { shape, array: first } = distinct[0] as ArrayPart;
  const found = distinct.reduce((sum, { array }) => sum + sizeOf(array.shape), 0);
  if (found !== sizeOf(shape)) throw new Error(`${name} has ${sizeOf(shape)} values, and there are ${found}`);
  const whole = allocate(first.dtype, shape);
  for (const { array, start, shape: of } of distinct) {
    const fits =
      array.dtype === first.dtype &&
      of.join() === shape.join() &&
      array.shape.every((size, dim) => (start[dim] as number) + size <= (shape[dim] as number));
    if (!fits) throw new Error(`the parts of ${name} don't fit together`);
    paste(bytesOf(whole), bytesOf(array), bytesPerElement(array.dtype), shape, array.shape, start);
  }
  return whole;
}
