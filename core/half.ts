// 16-bit floats as float32.

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
