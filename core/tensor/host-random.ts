// Distributions on the host, for single numbers that a run needs outside a program: permutations of data, mixup's
// weight. In float32, step by step as JAX computes them.

import { erfInv32, nextAfter32 } from './float32';
import { type HostKey, hostSplit, threefryBits } from './threefry';

const f32 = Math.fround;

/** jax.random.bits: `count` times uint32, in an Int32Array. */
export function hostBits(key: HostKey, count: number): Int32Array {
  return threefryBits(key, count);
}

/** Random words to float32 in [min, max); a product and the sum that follows round once, as XLA does on CPU. */
export function bitsToUniform(words: Int32Array, min: number, max: number): Float32Array {
  const low = f32(min);
  const span = f32(f32(max) - low);
  const result = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    // 23 bits of mantissa: bitcast((word >>> 9) | 0x3f800000) - 1.
    const unit = ((words[i] as number) >>> 9) * 2 ** -23;
    result[i] = Math.max(low, f32(unit * span + low));
  }
  return result;
}

/** jax.random.uniform: `count` numbers in [min, max). */
export function hostUniform(key: HostKey, count: number, min = 0, max = 1): Float32Array {
  return bitsToUniform(threefryBits(key, count), min, max);
}

const first = (values: Float32Array) => values[0] as number;
const sqrt2 = f32(Math.SQRT2);

function normal(key: HostKey): number {
  return f32(sqrt2 * erfInv32(first(hostUniform(key, 1, nextAfter32(-1, 0), 1))));
}

/** What Marsaglia and Tsang's method needs of alpha; below 1 it samples alpha + 1 and scales the result. */
export function gammaConstants(alpha: number): {
  readonly d: number;
  readonly c: number;
  readonly boosted: boolean;
} {
  const boosted = f32(alpha) < 1;
  const d = f32(f32(boosted ? f32(alpha) + 1 : alpha) - third);
  return { d, c: f32(third / f32(Math.sqrt(d))), boosted };
}

const third = f32(1 / 3);
export const squeeze = f32(0.0331);

/**
 * The logarithm of one Gamma(alpha, 1) number, by the key that jax.random.loggamma splits off for it. Marsaglia &
 * Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000).
 */
function logGamma(key: HostKey, alpha: number): number {
  const { d, c, boosted } = gammaConstants(alpha);
  const [start, boostKey] = hostSplit(key) as [HostKey, HostKey];
  let chain = start;
  for (;;) {
    const keys = hostSplit(chain, 3) as [HostKey, HostKey, HostKey];
    chain = keys[0];
    let normalKey = keys[1];
    let x: number;
    let v: number;
    do {
      const [next, subkey] = hostSplit(normalKey) as [HostKey, HostKey];
      normalKey = next;
      x = normal(subkey);
      v = f32(1 + x * c);
    } while (v <= 0);
    const xx = f32(x * x);
    const vvv = f32(f32(v * v) * v);
    const u = first(hostUniform(keys[2], 1));
    const rejected =
      u >= f32(1 - squeeze * f32(xx * xx)) &&
      f32(Math.log(u)) >= f32(xx * 0.5 + f32(d * f32(f32(1 - vvv) + f32(Math.log(vvv)))));
    if (rejected) continue;
    const logV = f32(f32(Math.log(d)) + f32(Math.log(vvv)));
    const logSample = f32(Math.log1p(-first(hostUniform(boostKey, 1))));
    return boosted && logSample !== 0 ? f32(logV + f32(logSample * f32(1 / f32(alpha)))) : logV;
  }
}

/** jax.random.beta(key, a, b): one number. */
export function hostBeta(key: HostKey, a: number, b: number): number {
  const [keyA, keyB] = hostSplit(key) as [HostKey, HostKey];
  const logA = logGamma(hostSplit(keyA, 1)[0] as HostKey, a);
  const logB = logGamma(hostSplit(keyB, 1)[0] as HostKey, b);
  const larger = Math.max(logA, logB);
  const scaledA = f32(Math.exp(f32(logA - larger)));
  const scaledB = f32(Math.exp(f32(logB - larger)));
  return f32(scaledA / f32(scaledA + scaledB));
}

/** How often JAX sorts by fresh 32-bit keys, so that equal keys in all of the rounds are unlikely. */
export function shuffleRounds(count: number): number {
  return Math.ceil((3 * Math.log(Math.max(1, count))) / Math.log(2 ** 32 - 1));
}

/** jax.random.permutation(key, count). */
export function hostPermutation(key: HostKey, count: number): Int32Array {
  let order = Int32Array.from({ length: count }, (_, i) => i);
  for (let round = 0; round < shuffleRounds(count); round++) {
    const [next, subkey] = hostSplit(key) as [HostKey, HostKey];
    key = next;
    const sorted = argsortBits(threefryBits(subkey, count));
    order = sorted.map((from) => order[from] as number);
  }
  return order;
}

/** Indices that sort the bits as uint32, stably. */
export function argsortBits(bits: Int32Array): Int32Array {
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length);
  // Float64 holds (word, index) exactly below 2^21 elements, and sorting numbers needs no callback.
  if (words.length < 2 ** 21) {
    const pairs = Float64Array.from(words, (word, i) => word * 2 ** 21 + i).sort();
    return Int32Array.from(pairs, (pair) => pair % 2 ** 21);
  }
  const order = Int32Array.from(words, (_, i) => i);
  return order.sort((i, j) => (words[i] as number) - (words[j] as number) || i - j);
}
