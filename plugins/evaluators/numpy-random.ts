// numpy.random.default_rng: its permutations, so that the same seed draws the same examples as the original does.

const mask32 = 0xffff_ffffn;
const mask64 = (1n << 64n) - 1n;
const mask128 = (1n << 128n) - 1n;

/** An unsigned 32-bit product. */
const mul = (a: number, b: number) => Math.imul(a, b) >>> 0;

/** Eight words from a seed: NumPy's SeedSequence, after O'Neill's seed_seq (www.pcg-random.org, 2015). */
function seedWords(seed: number): number[] {
  let hash = 0x43b0d7e5;
  const mixIn = (value: number) => {
    let mixed = (value ^ hash) >>> 0;
    hash = mul(hash, 0x931e8875);
    mixed = mul(mixed, hash);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number) => {
    const mixed = (mul(x, 0xca01f9dd) - mul(y, 0x4973f715)) >>> 0;
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const entropy = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0, 0];
  const pool = entropy.map(mixIn);
  for (let from = 0; from < pool.length; from++)
    for (let to = 0; to < pool.length; to++)
      if (from !== to) pool[to] = mix(pool[to] as number, mixIn(pool[from] as number));

  let state = 0x8b51f9dd;
  return Array.from({ length: 8 }, (_, i) => {
    const mixed = ((pool[i % pool.length] as number) ^ state) >>> 0;
    state = mul(state, 0x58f38ded);
    const word = mul(mixed, state);
    return (word ^ (word >>> 16)) >>> 0;
  });
}

/** PCG64 (XSL-RR 128/64, O'Neill 2014), 32 bits at a time: of each output the lower half comes first. */
function pcg64(seed: number): () => number {
  const multiplier = 0x2360ed051fc65da44385df649fccf645n;
  const words = seedWords(seed).map(BigInt);
  const long = (i: number) => (words[i] as bigint) | ((words[i + 1] as bigint) << 32n);
  const increment = ((((long(4) << 64n) | long(6)) << 1n) | 1n) & mask128;
  let state = 0n;
  const step = () => (state = (state * multiplier + increment) & mask128);
  step();
  state += (long(0) << 64n) | long(2);
  step();

  let upper: number | undefined;
  return () => {
    if (upper !== undefined) {
      const word = upper;
      upper = undefined;
      return word;
    }
    step();
    const folded = (state >> 64n) ^ (state & mask64);
    const turn = state >> 122n;
    const output = ((folded >> turn) | (folded << (64n - turn))) & mask64;
    upper = Number(output >> 32n);
    return Number(output & mask32);
  };
}

/**
 * `rng = numpy.random.default_rng(seed)`, as the function `rng.permutation` of an array. Calls go on where the last one ended.
 * @param seed a whole number from 0 to 2^53
 */
export function numpyPermutations(seed: number): <T>(items: readonly T[]) => T[] {
  const next = pcg64(seed);
  /** Uniform from 0 to `last`: of as many low bits as that has, the first number that isn't above it. */
  const upTo = (last: number): number => {
    const bits = 2 ** (32 - Math.clz32(last)) - 1;
    let value: number;
    do value = (next() & bits) >>> 0;
    while (value > last);
    return value;
  };
  return (items) => {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = upTo(i);
      [shuffled[i], shuffled[j]] = [shuffled[j] as never, shuffled[i] as never];
    }
    return shuffled;
  };
}
