// Rows of arrays in host memory: along the first axis, which is that of examples.

import { allocate, type HostArray, sizeOf } from '../../core/array';

/** These rows, in this order. */
export function rowsOf({ dtype, shape, data }: HostArray, rows: readonly number[]): HostArray {
  const each = sizeOf(shape.slice(1));
  const picked = allocate(dtype, [rows.length, ...shape.slice(1)]);
  rows.forEach((row, i) => picked.data.set(data.subarray(row * each, (row + 1) * each) as never, i * each));
  return picked;
}

/** With rows of zeros at the end, `rows` in all. */
export function padRows({ dtype, shape, data }: HostArray, rows: number): HostArray {
  const padded = allocate(dtype, [rows, ...shape.slice(1)]);
  padded.data.set(data as never);
  return padded;
}

/** All rows of arrays that are equal but for their number of rows. */
export function joinRows(arrays: readonly HostArray[]): HostArray {
  const [first] = arrays as [HostArray];
  const rows = arrays.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  const joined = allocate(first.dtype, [rows, ...first.shape.slice(1)]);
  let at = 0;
  for (const { data } of arrays) {
    joined.data.set(data as never, at);
    at += data.length;
  }
  return joined;
}

/** The indices at which a mask counts. */
export function countedRows({ data }: HostArray): number[] {
  return Array.from(data).flatMap((value, i) => (value > 0 ? [i] : []));
}
