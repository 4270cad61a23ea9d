// Permutations recorded from NumPy: what few-shot evaluation draws.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseShots } from '../../../plugins/evaluators/fewshot';
import { numpyPermutations } from '../../../plugins/evaluators/numpy-random';

interface Recorded {
  readonly sizes: readonly number[];
  readonly seeds: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly last_of_many: Readonly<Record<string, readonly number[]>>;
}
const recorded = JSON.parse(
  readFileSync(join(__dirname, '../../golden/numpy_random.json'), 'utf8'),
) as Recorded;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test.each(Object.entries(recorded.seeds))('one after the other from seed %s', (seed, want) => {
  const permute = numpyPermutations(Number(seed));
  expect(recorded.sizes.map((size) => permute(range(size).map((i) => 3 * i + 1)))).toEqual(want);
});

test.each(Object.entries(recorded.last_of_many))('a large one from seed %s', (seed, want) => {
  expect(numpyPermutations(Number(seed))(range(100_000)).slice(-3)).toEqual(want);
});

test('each class goes on with the generator of the ones before, whatever the number of shots', () => {
  const labels = Int32Array.from({ length: 40 }, (_, i) => (i * 7) % 4);
  const permute = numpyPermutations(5);
  const byClass = range(4).map((label) => permute(range(40).filter((i) => labels[i] === label)));
  expect(chooseShots(labels, 4, 3, 5)).toEqual(byClass.flatMap((indices) => indices.slice(0, 3)));
  expect(chooseShots(labels, 4, 100, 5)).toEqual(byClass.flat());
});
