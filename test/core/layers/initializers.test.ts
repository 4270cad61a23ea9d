// Initializers: exactly the numbers that their definition gives.

import fc from 'fast-check';
import { type HostArray, sizeOf } from '../../../core/array';
import type { Initializer } from '../../../core/extensions';
import {
  constant,
  heNormal,
  initializer,
  lecunNormal,
  normal,
  ones,
  truncatedNormal,
  varianceScaling,
  type VarianceScaling,
  xavierUniform,
  zeros,
} from '../../../core/layers/init';
import * as tf from '../../../core/tensor';
import { onRuntimes, type TestRuntime, toTensor, useEagerCpu } from '../../support/runtimes';

const key = tf.random.key(17);
const f32 = Math.fround;

async function values(runtime: TestRuntime, init: Initializer, shape: readonly number[]): Promise<HostArray> {
  const make = runtime.jit((key: tf.Tensor) => init(key, shape), { name: init.id });
  return runtime.toHost(make(runtime.toDevice(tf.random.keyArray(key))));
}

/** Of the variance: the fans' mean for [in, out], with a receptive field of `field`. */
const fans = (inputs: number, outputs: number, field = 1) => ({
  fan_in: inputs * field,
  fan_out: outputs * field,
  fan_avg: ((inputs + outputs) * field) / 2,
  fan_geo_avg: Math.sqrt(inputs * outputs) * field,
});

onRuntimes((use, kind) => {
  /** XLA multiplies constants with each other first, which rounds once less. */
  const expectSame = (got: HostArray['data'], want: Float32Array) => {
    if (kind === 'eager') return expect(got).toEqual(want);
    want.forEach((x, i) =>
      expect(Math.abs((got[i] as number) - x)).toBeLessThanOrEqual(2.5e-7 * Math.abs(x)),
    );
  };

  test.each<[string, Initializer, number]>([
    ['zeros', zeros, 0],
    ['ones', ones, 1],
    ['constant', constant(-10), -10],
    ['constant of no float32', constant(0.1), f32(0.1)],
  ])('%s', async (_name, init, value) => {
    const made = await values(use.runtime, init, [3, 2]);
    expect([made.dtype, made.shape]).toEqual(['float32', [3, 2]]);
    expect([...made.data]).toEqual(Array<number>(6).fill(value));
    expect((await values(use.runtime, init, [])).data).toEqual(Float32Array.of(value));
  });

  test('uniform: the numbers of the key by the square root of three variances', async () => {
    const shape = [6, 10];
    const unit = tf.random.hostUniform(key, sizeOf(shape), -1, 1);
    for (const [mode, fan] of Object.entries(fans(6, 10)) as [VarianceScaling['mode'], number][]) {
      const init = varianceScaling({ scale: 2, mode, distribution: 'uniform' });
      const factor = f32(Math.sqrt(f32(3 * f32(2 / fan))));
      expect((await values(use.runtime, init, shape)).data).toEqual(unit.map((x) => f32(x * factor)));
    }
    const factor = f32(Math.sqrt(f32(3 * f32(1 / 8))));
    expect((await values(use.runtime, xavierUniform(), shape)).data).toEqual(
      unit.map((x) => f32(x * factor)),
    );
  });

  test('normal and truncated normal: the numbers of the key by the deviation', async () => {
    const shape = [8, 4];
    const draw = (f: (key: tf.Tensor) => tf.Tensor) => values(use.runtime, initializer('draw', f), shape);
    const plain = await draw((key) => tf.random.normal(key, shape));
    const cut = await draw((key) => tf.random.truncatedNormal(key, -2, 2, shape));
    const scaled = ({ data }: HostArray, factor: number) =>
      (data as Float32Array).map((x) => f32(x * f32(factor)));
    const made = async (init: Initializer) => (await values(use.runtime, init, shape)).data;

    expectSame(await made(normal(0.02)), scaled(plain, 0.02));
    expectSame(await made(truncatedNormal(0.5)), scaled(cut, 0.5));
    const options = { scale: 1, mode: 'fan_in' } as const;
    expectSame(
      await made(varianceScaling({ ...options, distribution: 'normal' })),
      scaled(plain, Math.sqrt(1 / 8)),
    );
    // The variance is that of the cut distribution.
    const deviation = f32(0.8796256610342398);
    expectSame(await made(lecunNormal()), scaled(cut, f32(f32(Math.sqrt(1 / 8)) / deviation)));
    expectSame(await made(heNormal()), scaled(cut, f32(f32(Math.sqrt(2 / 8)) / deviation)));
  });

  test('have the variance that they say', async () => {
    const shape = [64, 96];
    const cases: readonly (readonly [Initializer, number])[] = [
      [lecunNormal(), 1 / 64],
      [heNormal(), 2 / 64],
      [xavierUniform(), 2 / 160],
      [normal(0.3), 0.09],
      [varianceScaling({ scale: 3, mode: 'fan_out', distribution: 'normal' }), 3 / 96],
    ];
    for (const [init, variance] of cases) {
      const { data } = await values(use.runtime, init, shape);
      const total = (f: (x: number) => number) =>
        (data as Float32Array).reduce((sum, x) => sum + f(x), 0) / data.length;
      const mean = total((x) => x);
      expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / data.length));
      // Five deviations of an estimated variance, with the kurtosis of a normal.
      const relative = total((x) => (x - mean) ** 2) / variance;
      expect(Math.abs(relative - 1)).toBeLessThan(5 * Math.sqrt(2 / data.length));
    }
  });
});

describe('fans', () => {
  useEagerCpu();
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 });
  /** Variance from the largest ratio to the numbers of the key. */
  const varianceOf = (init: Initializer, shape: readonly number[]): number => {
    const made = init(toTensor(tf.random.keyArray(key)), shape).dataSync();
    const unit = tf.random.hostUniform(key, sizeOf(shape), -1, 1);
    const largest = unit.reduce((best, x, i) => (Math.abs(x) > Math.abs(unit[best] as number) ? i : best), 0);
    return ((made[largest] as number) / (unit[largest] as number)) ** 2 / 3;
  };
  const uniform = (mode: VarianceScaling['mode'], axes: Partial<VarianceScaling> = {}) =>
    varianceScaling({ scale: 1, mode, distribution: 'uniform', ...axes });

  test('of a kernel: the last two axes, and the receptive field before', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const [inputs, outputs] = shape.slice(-2) as [number, number];
        const wanted = fans(inputs, outputs, sizeOf(shape.slice(0, -2)));
        for (const mode of Object.keys(wanted) as VarianceScaling['mode'][]) {
          expect(varianceOf(uniform(mode), shape) * wanted[mode]).toBeCloseTo(1, 4);
        }
      }),
      { numRuns: 30 },
    );
  });

  test.each<[string, readonly number[], Partial<VarianceScaling>, number, number]>([
    ['a projection to heads', [12, 3, 4], { inAxis: 0, outAxis: [1, 2] }, 12, 12],
    ['a projection from heads', [3, 4, 12], { inAxis: [0, 1], outAxis: 2 }, 12, 12],
    ['kernels in a batch', [5, 6, 7], { batchAxis: 0 }, 6, 7],
    ['axes from the end', [2, 6, 3], { inAxis: -1, outAxis: -3 }, 3 * 6, 2 * 6],
  ])('%s', (_name, shape, axes, fanIn, fanOut) => {
    expect(varianceOf(uniform('fan_in', axes), shape) * fanIn).toBeCloseTo(1, 4);
    expect(varianceOf(uniform('fan_out', axes), shape) * fanOut).toBeCloseTo(1, 4);
  });

  test('a bias has none', () => {
    expect(() => lecunNormal()(toTensor(tf.random.keyArray(key)), [3])).toThrow(
      'needs 2 axes or more, got [3]',
    );
  });
});

test('the id names all that the numbers depend on', () => {
  const all = [
    zeros,
    ones,
    constant(2),
    normal(),
    normal(1),
    truncatedNormal(),
    truncatedNormal(1),
    truncatedNormal(1, -3, 3),
    lecunNormal(),
    lecunNormal({ inAxis: 0 }),
    lecunNormal({ outAxis: [1, 2] }),
    lecunNormal({ inAxis: 0, outAxis: [1, 2] }),
    lecunNormal({ batchAxis: 0 }),
    heNormal(),
    xavierUniform(),
    varianceScaling({ scale: 1, mode: 'fan_out', distribution: 'truncated_normal' }),
    varianceScaling({ scale: 1, mode: 'fan_in', distribution: 'normal' }),
  ];
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(normal(0.02).id).toBe(normal(0.02).id);
  expect(lecunNormal({ inAxis: 0 }).id).toBe(lecunNormal({ inAxis: 0 }).id);
  expect(Object.isFrozen(zeros)).toBe(true);
});
