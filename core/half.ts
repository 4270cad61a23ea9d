// The numbers that the bits of 16-bit floats stand for.

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

export function fromBfloat16(bits: number): number {
  word[0] = bits << 16;
  return float[0] as number;
}

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
