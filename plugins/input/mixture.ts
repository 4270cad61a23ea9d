// Which of several sources each training example comes from. Like the order within one source it is found by arithmetic.

import { Permutation } from './order';

/** Positions are dealt in blocks: in each, every source has its share of the places, which a permutation spreads. */
const block = 1024;

/** How many of the first `n` examples are each source's: whole numbers that follow n times its share, and never fall. */
function counts(shares: readonly number[], n: number): number[] {
  let left = n;
  let total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share, i) => {
    // The last one gets what is left, whatever rounding has done to the total.
    const count = i === shares.length - 1 ? left : Math.min(left, Math.floor((share / total) * left + 0.5));
    left -= count;
    total -= share;
    return count;
  });
}

export interface Dealt {
  readonly source: number;
  /** In the source's own stream. */
  readonly position: number;
}

/** Deals the positions of a stream to sources by their shares (> 0): a pure function of (seed, position). */
export class Mixture {
  private current:
    | {
        readonly number: number;
        readonly before: readonly number[];
        readonly ends: readonly number[];
        readonly permutation: Permutation;
      }
    | undefined;

  constructor(
    private readonly shares: readonly number[],
    private readonly seed: number,
  ) {}

  at(position: number): Dealt {
    const { before, ends, permutation } = this.blockAt(Math.floor(position / block));
    const place = permutation.at(position % block);
    const source = ends.findIndex((end) => place < end);
    const start = source === 0 ? 0 : (ends[source - 1] as number);
    return { source, position: (before[source] as number) + place - start };
  }

  private blockAt(number: number) {
    if (this.current?.number === number) return this.current;
    const before = counts(this.shares, number * block);
    const after = counts(this.shares, (number + 1) * block);
    let end = 0;
    const ends = after.map((count, i) => (end += count - (before[i] as number)));
    this.current = { number, before, ends, permutation: new Permutation(block, this.seed, number) };
    return this.current;
  }
}
