// Single-precision arithmetic on the host, as XLA does it on CPU: each step rounds to float32, a product and the sum
// that follows round once.

const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/** The next float32 from x towards `target`. */
export function nextAfter32(x: number, target: number): number {
  float[0] = x;
  const from = float[0] as number;
  if (from === target || Number.isNaN(from)) return from;
  if (from === 0) word[0] = target > 0 ? 1 : 0x80000001;
  else word[0] = (word[0] as number) + (target > from === from > 0 ? 1 : -1);
  return float[0] as number;
}

const small = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
].map(Math.fround);
const large = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
].map(Math.fround);

/** Giles, "Approximating the erfinv function" (GPU Computing Gems, 2012), the single-precision version. */
export function erfInv32(x: number): number {
  if (Math.abs(x) === 1) return x * Infinity;
  const w = Math.fround(-Math.log1p(Math.fround(-x * x)));
  const coefficients = w < 5 ? small : large;
  const z = w < 5 ? Math.fround(w - 2.5) : Math.fround(Math.fround(Math.sqrt(w)) - 3);
  let p = coefficients[0] as number;
  for (let i = 1; i < coefficients.length; i++) p = Math.fround((coefficients[i] as number) + p * z);
  return Math.fround(p * x);
}

/** erf in double precision, rounded to float32. */
export function erf32(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  // erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n + 1) / (2n + 1)!!, all terms of one sign.
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return Math.fround((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total);
}
