import * as fc from 'fast-check';
import { exampleRng, Order, Permutation } from '../../../plugins/input';
import { threefry } from '../../../plugins/input/threefry';

const permutationOf = (size: number, seed: number, epoch: number) => {
  const permutation = new Permutation(size, seed, epoch);
  return Array.from({ length: size }, (_, i) => permutation.at(i));
};

/** How many deviations a chi-square statistic is off, for many degrees of freedom. */
const deviations = (counts: readonly number[], expected: number, freedom: number) =>
  (counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) - freedom) /
  Math.sqrt(2 * freedom);

describe('permutations in constant memory', () => {
  it('reach every index once, for every size', () => {
    for (let size = 1; size <= 150; size++) {
      expect(new Set(permutationOf(size, size, 3)).size).toBe(size);
    }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(), fc.nat(1000), (size, seed, epoch) => {
        const seen = new Uint8Array(size);
        for (const index of permutationOf(size, seed, epoch)) seen[index]!++;
        expect(seen.every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('stay in range and apart for sizes beyond 2^32', () => {
    const size = 3e10 + 7;
    const permutation = new Permutation(size, 1, 2);
    const seen = new Set<number>();
    for (let i = 0; i < 5000; i++) seen.add(permutation.at(size - 1 - i));
    expect(seen.size).toBe(5000);
    for (const index of seen) expect(Number.isSafeInteger(index) && index >= 0 && index < size).toBe(true);
    expect(Math.max(...seen)).toBeGreaterThan(0.98 * size);
  });

  it('put every index at every place equally often', () => {
    for (const size of [2, 3, 5, 8, 13, 20]) {
      const epochs = 4000;
      const counts = new Array<number>(size * size).fill(0);
      for (let epoch = 0; epoch < epochs; epoch++) {
        permutationOf(size, 11, epoch).forEach((index, i) => counts[i * size + index]!++);
      }
      expect(Math.abs(deviations(counts, epochs / size, (size - 1) ** 2))).toBeLessThan(5);
    }
  });

  it('have all orders of a small set', () => {
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 3000; epoch++) seen.add(permutationOf(5, 1, epoch).join());
    expect(seen.size).toBe(120);
  });

  it.each([1000, 8500, 65_536])('look random: %i', (size) => {
    const order = permutationOf(size, 0, 0);
    const next = permutationOf(size, 0, 1);
    const other = permutationOf(size, 1, 0);
    const centred = (x: number) => x / size - 0.5 + 0.5 / size;
    const correlation = (f: (i: number) => number) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += f(i);
      return (sum * 12) / Math.sqrt(size);
    };
    // Against the index, the neighbour, the next epoch and another seed: normal with deviation 1.
    for (const f of [
      (i: number) => centred(order[i]!) * centred(i),
      (i: number) => centred(order[i]!) * centred(order[(i + 1) % size]!),
      (i: number) => centred(order[i]!) * centred(next[i]!),
      (i: number) => centred(order[i]!) * centred(other[i]!),
    ]) {
      expect(Math.abs(correlation(f))).toBeLessThan(4.5);
    }
    // Neighbours in the data don't stay neighbours.
    const together = order.filter((index, i) => Math.abs(index - (order[i + 1] ?? -2)) === 1).length;
    expect(together).toBeLessThan(12);
    // Each tenth of an epoch draws evenly from each tenth of the data.
    const cells = new Array<number>(100).fill(0);
    order.forEach((index, i) => cells[Math.floor((10 * i) / size) * 10 + Math.floor((10 * index) / size)]!++);
    expect(Math.abs(deviations(cells, size / 100, 81))).toBeLessThan(5);
  });
});

describe('the order of a run', () => {
  it('goes through one epoch after another', () => {
    const order = new Order(10, 3, true);
    const places = Array.from({ length: 30 }, (_, position) => order.at(position));
    for (let epoch = 0; epoch < 3; epoch++) {
      const one = places.slice(10 * epoch, 10 * epoch + 10);
      expect(one.every((place) => place.epoch === epoch)).toBe(true);
      expect(one.map(({ index }) => index).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    expect(places.slice(0, 10)).not.toEqual(places.slice(10, 20));
  });

  it('is a function of the position, asked in any order', () => {
    const [forward, backward] = [new Order(7, 5, true), new Order(7, 5, true)];
    const there = Array.from({ length: 50 }, (_, i) => forward.at(i));
    const back = Array.from({ length: 50 }, (_, i) => backward.at(49 - i)).reverse();
    expect(back).toEqual(there);
  });

  it('reaches a far position at once', () => {
    const order = new Order(1_281_167, 0, true);
    const start = process.cpuUsage();
    for (let i = 0; i < 100; i++) order.at(1e14 + i * 1e9);
    expect(process.cpuUsage(start).user).toBeLessThan(1e6);
  });

  it('is that of the data without shuffling', () => {
    const order = new Order(4, 1, false);
    expect([0, 1, 2, 3, 4].map((position) => order.at(position).index)).toEqual([0, 1, 2, 3, 0]);
  });
});

describe("an example's random numbers", () => {
  it('come from Threefry-2x32', () => {
    // The first words of the original's streams: the exclusive or of both halves, key (0, 0), counters (0, i).
    const out = new Int32Array(2);
    const bits = [0, 1, 2, 3].map((i) => {
      threefry(0, 0, 0, i, out);
      return (out[0]! ^ out[1]!) >>> 0;
    });
    expect(bits).toEqual([4070199207, 4202968722, 1427181096, 2012915765]);
  });

  it('depend on the seed, the epoch and the index, and on nothing else', () => {
    const draw = (...place: [number, number, number]) => {
      const rng = exampleRng(...place);
      return [rng.uniform(), rng.uniform(), rng.integer(0, 1000)];
    };
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
    const all = [draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(2 ** 40 + 1, 2, 3), draw(1, 2, 2 ** 33 + 3)]; // prettier-ignore
    expect(new Set(all.map(String)).size).toBe(all.length);
  });

  it('are uniform', () => {
    const counts = new Array<number>(100).fill(0);
    const integers = new Array<number>(7).fill(0);
    for (let index = 0; index < 20_000; index++) {
      const rng = exampleRng(0, 0, index);
      counts[Math.floor(rng.uniform() * 100)]!++;
      integers[rng.integer(3, 10) - 3]!++;
    }
    expect(Math.abs(deviations(counts, 200, 99))).toBeLessThan(5);
    expect(Math.abs(deviations(integers, 20_000 / 7, 6))).toBeLessThan(5);
  });
});
