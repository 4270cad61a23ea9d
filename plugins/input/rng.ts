// The random numbers of one example: a pure function of (seed, epoch, index) and of how many were drawn before.

import type { ExampleRng } from '../../core/extensions';
import { uniformOf } from '../../core/uniform';
import { threefry, wordsOf } from './threefry';

/** Keeps these numbers apart from those of the order, which come from the same seed. */
const purpose = 1;

class CountedRng implements ExampleRng {
  private drawn = 0;
  private readonly words = new Int32Array(2);

  constructor(
    private readonly key0: number,
    private readonly key1: number,
    private readonly index: number,
    readonly epoch: number,
  ) {}

  uniform(): number {
    threefry(this.key0, this.key1, this.index, this.drawn++, this.words);
    return uniformOf(this.words[0] as number, this.words[1] as number);
  }

  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low));
  }
}

export function exampleRng(seed: number, epoch: number, index: number): ExampleRng {
  const words = new Int32Array(2);
  const [seedHigh, seedLow] = wordsOf(seed);
  const [indexHigh, indexLow] = wordsOf(index);
  threefry(seedHigh, seedLow, epoch | 0, purpose, words);
  threefry(words[0] as number, words[1] as number, indexHigh, purpose, words);
  return new CountedRng(words[0] as number, words[1] as number, indexLow, epoch);
}
