// SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash behind TensorFlow's to_hash_bucket_strong.

const mask = (1n << 64n) - 1n;
const rotated = (x: bigint, bits: bigint) => ((x << bits) | (x >> (64n - bits))) & mask;
/** "somepseudorandomlygeneratedbytes", as the paper has it. */
const start = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n] as const;

type State = [bigint, bigint, bigint, bigint];

function mix([a, b, c, d]: State, rounds: number): State {
  for (let i = 0; i < rounds; i++) {
    a = (a + b) & mask;
    b = rotated(b, 13n) ^ a;
    a = rotated(a, 32n);
    c = (c + d) & mask;
    d = rotated(d, 16n) ^ c;
    a = (a + d) & mask;
    d = rotated(d, 21n) ^ a;
    c = (c + b) & mask;
    b = rotated(b, 17n) ^ c;
    c = rotated(c, 32n);
  }
  return [a, b, c, d];
}

/** Unsigned 64 bits. */
export function sipHash(bytes: Uint8Array, [low, high]: readonly [bigint, bigint]): bigint {
  // Whole words, the last of them the bytes that are left over, and the length modulo 256 as its highest byte.
  const padded = new Uint8Array(8 * (Math.floor(bytes.length / 8) + 1));
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 255;
  const words = new DataView(padded.buffer);
  let state: State = [low ^ start[0], high ^ start[1], low ^ start[2], high ^ start[3]];
  for (let at = 0; at < padded.length; at += 8) {
    const word = words.getBigUint64(at, true);
    const [a, b, c, d] = mix([state[0], state[1], state[2], state[3] ^ word], 2);
    state = [a ^ word, b, c, d];
  }
  const [a, b, c, d] = mix([state[0], state[1], state[2] ^ 0xffn, state[3]], 4);
  return a ^ b ^ c ^ d;
}
