// Cutting a dense row-major array into equal blocks, and putting blocks together.

import type { HostArray } from './array';

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

type Numbers = Uint8Array;

/** Calls `copy` for each contiguous run of a block: offsets in the whole and in the block, and the length. */
function forEachRun(
  shape: readonly number[],
  block: readonly number[],
  start: readonly number[],
  copy: (whole: number, part: number, length: number) => void,
): void {
  // Trailing dimensions that the block has in full are contiguous with each other.
  let last = shape.length - 1;
  let length = 1;
  while (last >= 0 && block[last] === shape[last]) length *= shape[last--]!;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, dim) => product * dim, 1));
  if (last >= 0) length *= block[last]!;
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
  bytes: Numbers,
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
  target: Numbers,
  source: Numbers,
  width: number,
  shape: readonly number[],
  block: readonly number[],
  start: readonly number[],
): void {
  forEachRun(shape, block, start, (whole, part, length) =>
    target.set(source.subarray(part * width, (part + length) * width), whole * width),
  );
}
