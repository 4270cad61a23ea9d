// Threefry-2x32 on the host, and what JAX makes of keys with it. A key here is two uint32 as plain numbers; a traced
// key is an int32 tensor [2] with the same bits.

/** A key on the host: two words, each in [0, 2^32). */
export type HostKey = readonly [hi: number, lo: number];

/** Two-word results, as many as there are counters. */
export interface HashedWords {
  readonly y0: Int32Array;
  readonly y1: Int32Array;
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** Threefry-2x32 of (x0[i], x1[i]) for each i, in place. */
function hashInPlace(key0: number, key1: number, x0: Int32Array, x1: Int32Array): void {
  const schedule = [key0 | 0, key1 | 0, key0 ^ key1 ^ parity] as const;
  const [r0, r1, r2, r3, r4, r5, r6, r7] = rotations;
  for (let i = 0; i < x0.length; i++) {
    let a = ((x0[i] as number) + schedule[0]) | 0;
    let b = ((x1[i] as number) + schedule[1]) | 0;
    // Five groups of four rounds. Unrolled in pairs of groups, since this loop is the cost of eager random numbers.
    for (let group = 0; ; group += 2) {
      a = (a + b) | 0;
      b = ((b << r0) | (b >>> (32 - r0))) ^ a;
      a = (a + b) | 0;
      b = ((b << r1) | (b >>> (32 - r1))) ^ a;
      a = (a + b) | 0;
      b = ((b << r2) | (b >>> (32 - r2))) ^ a;
      a = (a + b) | 0;
      b = ((b << r3) | (b >>> (32 - r3))) ^ a;
      a = (a + (schedule[(group + 1) % 3] as number)) | 0;
      b = (b + (schedule[(group + 2) % 3] as number) + group + 1) | 0;
      if (group === 4) break;
      a = (a + b) | 0;
      b = ((b << r4) | (b >>> (32 - r4))) ^ a;
      a = (a + b) | 0;
      b = ((b << r5) | (b >>> (32 - r5))) ^ a;
      a = (a + b) | 0;
      b = ((b << r6) | (b >>> (32 - r6))) ^ a;
      a = (a + b) | 0;
      b = ((b << r7) | (b >>> (32 - r7))) ^ a;
      a = (a + (schedule[(group + 2) % 3] as number)) | 0;
      b = (b + (schedule[group % 3] as number) + group + 2) | 0;
    }
    x0[i] = a;
    x1[i] = b;
  }
}

/** The hash of each pair of counters; the counters may be any 32 bits, signed or not. */
export function threefry(key: HostKey, x0: ArrayLike<number>, x1: ArrayLike<number>): HashedWords {
  const words = { y0: Int32Array.from(x0), y1: Int32Array.from(x1) };
  hashInPlace(key[0], key[1], words.y0, words.y1);
  return words;
}

/** `count` words of JAX's partitionable random bits (uint32 in an Int32Array). */
export function threefryBits(key: HostKey, count: number): Int32Array {
  const y0 = new Int32Array(count);
  const y1 = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    y0[i] = Math.floor(i / 2 ** 32);
    y1[i] = i;
  }
  hashInPlace(key[0], key[1], y0, y1);
  for (let i = 0; i < count; i++) y1[i] = (y0[i] as number) ^ (y1[i] as number);
  return y1;
}

/** jax.random.PRNGKey: an integer seed in [-2^31, 2^32) is the low word (JAX keeps 32 bits by default). */
export function hostKey(seed: number): HostKey {
  if (!Number.isInteger(seed)) throw new Error(`random.key: the seed must be an integer, got ${seed}`);
  return [0, seed >>> 0];
}

/** jax.random.split. */
export function hostSplit(key: HostKey, count = 2): HostKey[] {
  const index = Array.from({ length: count }, (_, i) => i);
  const { y0, y1 } = threefry(
    key,
    index.map(() => 0),
    index,
  );
  return index.map((i) => [(y0[i] as number) >>> 0, (y1[i] as number) >>> 0]);
}

/** jax.random.fold_in: `data` is 32 bits. */
export function hostFoldIn(key: HostKey, data: number): HostKey {
  const { y0, y1 } = threefry(key, [0], [data]);
  return [(y0[0] as number) >>> 0, (y1[0] as number) >>> 0];
}
