// Small arithmetic on parameters in host memory, for checkpoints.

import { type HostArray, type TypedArrayOf, allocate, hostArray, sizeOf } from '../../core/array';
import { toFloat32 } from '../../core/half';

/** The sum of two arrays of the same shape, float32. */
export function addArrays(a: HostArray, b: HostArray): HostArray {
  const [x, y] = [toFloat32(a).data, toFloat32(b).data];
  return hostArray(
    'float32',
    a.shape,
    x.map((value, i) => value + (y[i] as number)),
  );
}

/** Entries [start, end) of axis 1 of [1, n, width]. */
export function sliceTokens(array: HostArray, start: number, end: number): HostArray {
  const width = array.shape[2] as number;
  const data = array.data.slice(start * width, end * width) as TypedArrayOf['float32'];
  return hostArray(array.dtype, [1, end - start, width], data);
}

/** Arrays of one shape and dtype along a new first axis. */
export function stackArrays(arrays: readonly HostArray[]): HostArray {
  const first = arrays[0] as HostArray;
  const stacked = allocate(first.dtype, [arrays.length, ...first.shape]);
  arrays.forEach((array, i) => stacked.data.set(array.data, i * sizeOf(first.shape)));
  return stacked;
}

/** The parts along the first axis; they share the array's memory. */
export function unstackArray(array: HostArray): HostArray[] {
  const [count = 0, ...shape] = array.shape;
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, i) =>
    hostArray(array.dtype, shape, array.data.subarray(i * size, (i + 1) * size) as TypedArrayOf['float32']),
  );
}
