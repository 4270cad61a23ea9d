// Contractions against loops, for any equation; their gradients too.

import fc from 'fast-check';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import * as tf from '../../../core/tensor';
import { einsumSizes, parseEinsum } from '../../../core/tensor/einsum';
import { compareEntry } from '../../support/golden';
import { onRuntimes, type TestRuntime } from '../../support/runtimes';

interface Equation {
  readonly a: string;
  readonly b: string;
  readonly out: string;
  readonly sizes: Readonly<Record<string, number>>;
}

const shapeOf = (letters: string, { sizes }: Equation) => [...letters].map((l) => sizes[l] as number);
const textOf = ({ a, b, out }: Equation) => `${a},${b}->${out}`;

/** In which of a, b and the result a letter may be. */
const places = fc.constantFrom('a', 'b', 'ab', 'ao', 'bo', 'abo');
const equations: fc.Arbitrary<Equation> = fc
  .array(fc.record({ in: places, size: fc.integer({ min: 1, max: 3 }) }), { maxLength: 5 })
  .chain((uses) => {
    const letters = uses.map((use, i) => ({ ...use, letter: 'ijkBz'[i] as string }));
    const sizes = Object.fromEntries(letters.map(({ letter, size }) => [letter, size]));
    const of = (where: string) =>
      fc
        .shuffledSubarray(
          letters.filter((l) => l.in.includes(where)).map(({ letter }) => letter),
          { minLength: letters.filter((l) => l.in.includes(where)).length },
        )
        .map((order) => order.join(''));
    return fc.record({ a: of('a'), b: of('b'), out: of('o'), sizes: fc.constant(sizes) });
  });

/** Distinct numbers in (-1, 1). */
function numbers(shape: readonly number[], seed: number): HostArray<'float32'> {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 7.1 * seed));
  return hostArray('float32', shape, values);
}

/** In double precision, by looping over all letters. */
function byLoops(equation: Equation, a: HostArray, b: HostArray): HostArray<'float32'> {
  const letters = [...new Set(equation.a + equation.b)];
  const total = letters.map((l) => equation.sizes[l] as number);
  const shape = shapeOf(equation.out, equation);
  const sums = new Float64Array(sizeOf(shape));
  for (let flat = 0; flat < sizeOf(total); flat++) {
    const at: Record<string, number> = {};
    letters.reduceRight((rest, letter, i) => {
      at[letter] = rest % (total[i] as number);
      return Math.floor(rest / (total[i] as number));
    }, flat);
    const index = (of: string) =>
      [...of].reduce((i, l) => i * (equation.sizes[l] as number) + (at[l] as number), 0);
    sums[index(equation.out)]! +=
      (a.data[index(equation.a)] as number) * (b.data[index(equation.b)] as number);
  }
  return hostArray('float32', shape, sums);
}

function expectClose(got: HostArray, want: HostArray): void {
  const { excess, text } = compareEntry('einsum', got, want, { atol: 2e-6, rtol: 1e-5 });
  if (!(excess <= 1)) throw new Error(text);
}

async function check(runtime: TestRuntime, equation: Equation): Promise<void> {
  const a = numbers(shapeOf(equation.a, equation), 1);
  const b = numbers(shapeOf(equation.b, equation), 2);
  const dy = numbers(shapeOf(equation.out, equation), 3);
  const f = (x: tf.Tensor, y: tf.Tensor, weights: tf.Tensor) => {
    const { grads } = tf.valueAndGrads(
      (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(weights, tf.einsum(textOf(equation), x, y))) as tf.Scalar,
    )([x, y]);
    return [tf.einsum(textOf(equation), x, y), ...grads];
  };
  const sent = [a, b, dy].map((array) => runtime.toDevice(array)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const results = runtime.jit(f, { name: 'einsum' })(...sent);
  const [value, gradA, gradB] = (await Promise.all(results.map((x) => runtime.toHost(x)))) as [
    HostArray,
    HostArray,
    HostArray,
  ];
  expectClose(value, byLoops(equation, a, b));
  // The gradient of a: dy and b contracted over all that isn't in a, and the same along letters that a has alone.
  expectClose(gradA, spread(equation, 'a', dy, b));
  expectClose(gradB, spread(equation, 'b', dy, a));
  tf.dispose([...sent, ...results]);
}

function spread(equation: Equation, of: 'a' | 'b', dy: HostArray, other: HostArray): HostArray<'float32'> {
  const otherLetters = of === 'a' ? equation.b : equation.a;
  const ones = hostArray('float32', [1], [1]);
  // A letter that only this operand has comes in by a factor of ones.
  const alone = [...equation[of]].filter((l) => !otherLetters.includes(l) && !equation.out.includes(l));
  const size = alone.reduce((product, l) => product * (equation.sizes[l] as number), 1);
  const factor = hostArray('float32', [size], new Float32Array(size).fill(ones.data[0] as number));
  const product = byLoops(
    {
      ...equation,
      a: equation.out,
      b: otherLetters,
      out: [...new Set(equation.out + otherLetters)].join(''),
    },
    dy,
    other,
  );
  const joined = [...new Set(equation.out + otherLetters)].join('');
  return byLoops({ ...equation, a: joined, b: alone.join(''), out: equation[of] }, product, factor);
}

onRuntimes((use, kind) => {
  test('any equation, and its gradients', async () => {
    // Each is compiled on XLA.
    await fc.assert(
      fc.asyncProperty(equations, (equation) => check(use.runtime, equation)),
      { numRuns: kind === 'xla' ? 25 : 200 },
    );
  });

  test('the second derivative', async () => {
    // Of sum((a b)^2) by a, contracted with itself: 2 sum((a b)^2) again, since it is quadratic in a.
    const f = (a: tf.Tensor, b: tf.Tensor) => {
      const loss = (x: tf.Tensor) => tf.sum(tf.square(tf.einsum('ij,jk->ki', x, b)));
      // `a` itself is what the outer derivative is taken by.
      const direction = tf.stopGradient(a);
      const along = (x: tf.Tensor) => tf.sum(tf.mul(tf.grad(loss)(x), direction));
      return [loss(a), tf.sum(tf.mul(tf.grad(along)(a), a))];
    };
    const [a, b] = [numbers([2, 3], 1), numbers([3, 4], 2)].map((array) => use.runtime.toDevice(array));
    const results = use.runtime.jit(f, { name: 'second' })(a as tf.Tensor, b as tf.Tensor);
    const [loss, second] = await Promise.all(results.map(async (x) => (await use.runtime.toHost(x)).data[0]));
    expect(second).toBeCloseTo(2 * (loss as number), 4);
  });

  test.each([
    ['ijk->ki', [2, 3, 4]],
    ['ij->', [2, 3]],
    ['ij->ij', [2, 3]],
    ['i->i', [3]],
    ['->', []],
  ])('one operand: %s', async (equation, shape) => {
    const x = numbers(shape, 1);
    const [letters, out] = equation.split('->') as [string, string];
    const sizes = Object.fromEntries([...letters].map((l, i) => [l, shape[i] as number]));
    const made = use.runtime.jit((x: tf.Tensor) => tf.einsum(equation, x), { name: 'one' })(
      use.runtime.toDevice(x),
    );
    expectClose(
      await use.runtime.toHost(made),
      byLoops({ a: letters, b: '', out, sizes }, x, hostArray('float32', [], [1])),
    );
  });

  test.each([
    ['...ij,jk->...ik', [2, 2], [2, 2], 'must look like'],
    ['ij,jk', [2, 2], [2, 2], 'must look like'],
    ['ij,jk,kl->il', [2, 2], [2, 2], 'must look like'],
    ['ii,ij->j', [2, 2], [2, 2], 'a letter twice in "ii"'],
    ['ij,jk->iik', [2, 2], [2, 2], 'a letter twice in "iik"'],
    ['ij,jk->il', [2, 2], [2, 2], '"l" in the result but in no operand'],
    ['ij,jk->ik', [2, 3], [2, 2], 'disagree on "j"'],
    ['ij,jk->ik', [2, 3, 1], [3, 2], 'operand of shape [2, 3, 1] for "ij"'],
  ])('%s of %j and %j is refused', (equation, a, b, message) => {
    expect(() => tf.einsum(equation, tf.zeros(a), tf.zeros(b))).toThrow(message);
  });

  test.each(['ii->i', 'ij->jj', 'ij->k', 'i->i', '...i->i'])('one operand: %s is refused', (equation) => {
    expect(() => tf.einsum(equation, tf.zeros([2, 2]))).toThrow(`einsum: "${equation}" doesn't fit`);
  });
});

test('letters are sorted by what happens to them', () => {
  expect(parseEinsum('bqhd, bkhd -> bhqk')).toEqual({
    a: ['b', 'q', 'h', 'd'],
    b: ['b', 'k', 'h', 'd'],
    out: ['b', 'h', 'q', 'k'],
    batch: ['b', 'h'],
    contract: ['d'],
    aFree: ['q'],
    bFree: ['k'],
    aSum: [],
    bSum: [],
  });
  expect(parseEinsum('ax,by->ab')).toMatchObject({ contract: [], aSum: ['x'], bSum: ['y'] });
  expect([...einsumSizes('ij,jk->ik', [2, 3], [3, 4])]).toEqual([
    ['i', 2],
    ['j', 3],
    ['k', 4],
  ]);
});
