// 16-bit floats as float32.

import { type HostArray, hostArray } from './array';

export type HalfType = 'bfloat16' | 'float16';

/** The numbers that these bits stand for. */
export function halfToFloat(dtype: HalfType, bits: Uint16Array): Float32Array {
  // bfloat16 is the upper half of a float32.
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(bits, (word) => word << 16).buffer);
  return Float32Array.from(bits, fromFloat16);
}

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The values of an array of any type as float32. */
export function toFloat32(array: HostArray): HostArray<'float32'> {
  if (array.dtype === 'float32') return array as HostArray<'float32'>;
  const { dtype, shape, data } = array;
  const isHalf = dtype === 'bfloat16' || dtype === 'float16';
  const values = isHalf ? halfToFloat(dtype, data as Uint16Array) : Float32Array.from(data);
  return hostArray('float32', shape, values);
}
