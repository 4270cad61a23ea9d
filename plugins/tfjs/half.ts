// Half-precision bits as float32.

export function halfToFloat(dtype: 'bfloat16' | 'float16', bits: Uint16Array): Float32Array {
  if (dtype === 'bfloat16') {
    // bfloat16 is the upper half of a float32.
    return new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);
  }
  return Float32Array.from(bits, float16);
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}
