// The order of training examples, without a shuffle buffer: where an epoch's i-th example is found by arithmetic.
//
// An epoch's permutation is a Feistel network on Z_a x Z_b with a * b just above the size (Black and Rogaway, "Ciphers with
// arbitrary finite domains", 2002): each round shifts one half by a random function of the other, which can be undone, so
// that the whole is a bijection; what lands beyond the size goes through again until it doesn't.

import { threefry, wordsOf } from './threefry';

/** Keeps the bits of the order apart from those of the examples' random numbers. */
const purpose = 2;

const rounds = 12;

const { floor, imul } = Math;

/** Bits that depend on every bit of both arguments (the finalizer of MurmurHash3, twice). */
function mix(x: number, key: number): number {
  let h = x ^ key;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = (h ^ (h >>> 16)) + (key | 1);
  h = imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A permutation of 0 ... size - 1 in constant memory: a pure function of (seed, epoch, i). */
export class Permutation {
  private readonly left: number;
  private readonly right: number;
  private readonly keys = new Int32Array(rounds);

  constructor(
    readonly size: number,
    seed: number,
    epoch: number,
  ) {
    this.left = Math.max(1, Math.ceil(Math.sqrt(size)));
    this.right = Math.max(1, Math.ceil(size / this.left));
    const words = new Int32Array(2);
    const [seedHigh, seedLow] = wordsOf(seed);
    threefry(seedHigh, seedLow, epoch | 0, purpose, words);
    const [key0, key1] = words as unknown as readonly [number, number];
    for (let round = 0; round < rounds; round += 2) {
      threefry(key0, key1, round, purpose, words);
      this.keys.set(words, round);
    }
  }

  at(i: number): number {
    let x = i;
    do x = this.step(x);
    while (x >= this.size);
    return x;
  }

  private step(x: number): number {
    const { left, right, keys } = this;
    let l = x % left;
    let r = floor(x / left);
    for (let round = 0; round < rounds; round += 2) {
      l = (l + mix(r, keys[round] as number)) % left;
      r = (r + mix(l, keys[round + 1] as number)) % right;
    }
    return r * left + l;
  }
}

export interface Place {
  readonly epoch: number;
  readonly index: number;
}

/** Which example is at a position of the endless stream. */
export class Order {
  private current: { readonly epoch: number; readonly permutation: Permutation } | undefined;

  constructor(
    private readonly size: number,
    private readonly seed: number,
    private readonly shuffle: boolean,
  ) {}

  at(position: number): Place {
    const epoch = Math.floor(position / this.size);
    const i = position % this.size;
    if (!this.shuffle) return { epoch, index: i };
    if (this.current?.epoch !== epoch) {
      this.current = { epoch, permutation: new Permutation(this.size, this.seed, epoch) };
    }
    return { epoch, index: this.current.permutation.at(i) };
  }
}
