// Cutting a dense row-major array into equal blocks, and putting blocks together.

import { bytesOf, bytesPerElement, fromBytes, type HostArray } from './array';

/** Which part of an array a block is. */
export interface Extent {
  /** Where in the array the block begins, one index for each dimension. */
  readonly start: readonly number[];
  /** The block's shape. */
  readonly block: readonly number[];
}

/** A block of an array, or all of it. */
export interface ArrayBlock {
  /** The values of this block. */
  readonly array: HostArray;
  /** Of the whole array. */
  readonly shape: readonly number[];
  /** Where in it the block begins, one index for each dimension. */
  readonly start: readonly number[];
}

/** Rows (along the first axis) from `start` to before `end`. */
export interface Rows {
  readonly start: number;
  readonly end: number;
}

/** All of an array as one block. */
export const wholeOf = (shape: readonly number[]): Extent => ({ start: shape.map(() => 0), block: shape });

/** What two blocks of one array have in common. */
export function intersection(a: Extent, b: Extent): Extent | undefined {
  const start = a.start.map((first, dim) => Math.max(first, b.start[dim]!));
  const block = start.map(
    (first, dim) => Math.min(a.start[dim]! + a.block[dim]!, b.start[dim]! + b.block[dim]!) - first,
  );
  return block.some((size) => size <= 0) ? undefined : { start, block };
}

/** A block as it lies in another one that has all of it. */
export const within = ({ start, block }: Extent, other: Extent): Extent => ({
  start: start.map((first, dim) => first - other.start[dim]!),
  block,
});

/** The blocks of an array that is in memory. The one that is all of it is not copied. */
export function blocksOf(array: HostArray, wanted: readonly Extent[]): ArrayBlock[] {
  const { dtype, shape } = array;
  return wanted.map(({ start, block }) => {
    if (block.join() === shape.join()) return { array, shape, start };
    const bytes = cut(bytesOf(array), bytesPerElement(dtype), shape, block, start);
    return { array: fromBytes(dtype, block, bytes), shape, start };
  });
}

/** How many elements of a block are one after another in the array. */
export function runLength(shape: readonly number[], block: readonly number[]): number {
  let dim = shape.length - 1;
  let length = 1;
  while (dim >= 0 && block[dim] === shape[dim]) length *= shape[dim--]!;
  return dim >= 0 ? length * block[dim]! : length;
}

/** Calls `copy` for each contiguous run of a block: offsets in the whole and in the block, and the length. */
export function forEachRun(
  shape: readonly number[],
  block: readonly number[],
  start: readonly number[],
  copy: (whole: number, part: number, length: number) => void,
): void {
  // Trailing dimensions that the block has in full are contiguous with each other.
  const length = runLength(shape, block);
  const last = shape.findLastIndex((size, dim) => block[dim] !== size);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, dim) => product * dim, 1));
  let part = 0;
  const visit = (dim: number, whole: number): void => {
    if (dim >= last) {
      copy(whole + (last >= 0 ? start[last]! * strides[last]! : 0), part, length);
      part += length;
      return;
    }
    for (let i = 0; i < block[dim]!; i++) visit(dim + 1, whole + (start[dim]! + i) * strides[dim]!);
  };
  if (length > 0 && !block.includes(0)) visit(0, 0);
}

/** The bytes of one block. `bytes` is the whole array's, `width` bytes an element. */
export function cut(
  bytes: Uint8Array,
  width: number,
  shape: readonly number[],
  block: readonly number[],
  start: readonly number[],
): Uint8Array {
  const size = block.reduce((product, dim) => product * dim, width);
  const result = new Uint8Array(size);
  forEachRun(shape, block, start, (whole, part, length) =>
    result.set(bytes.subarray(whole * width, (whole + length) * width), part * width),
  );
  return result;
}

/** Puts the bytes of a block in its place. */
export function paste(
  target: Uint8Array,
  source: Uint8Array,
  width: number,
  shape: readonly number[],
  block: readonly number[],
  start: readonly number[],
): void {
  forEachRun(shape, block, start, (whole, part, length) =>
    target.set(source.subarray(part * width, (part + length) * width), whole * width),
  );
}
