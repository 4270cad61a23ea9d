// Our own ops: values against double precision, gradients against central differences, on tfjs's cpu backend and on
// XLA; and what they refuse.

import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import * as tf from '../../../core/tensor';
import { erf32, erfInv32, nextAfter32 } from '../../../core/tensor/float32';
import { type OwnOp, runOwn } from '../../../core/tensor/own-ops';
import { byPosition, inOrder, type OwnRule, ownRules } from '../../../core/tensor/own-rules';
import { onRuntimes, type TestRuntime, useEagerCpu } from '../../support/runtimes';

type Fn = (...x: tf.Tensor[]) => tf.Tensor;

const f32 = (shape: readonly number[], values: ArrayLike<number>) => hostArray('float32', shape, values);

/** Numbers that look random, the same every time. */
function numbers(shape: readonly number[], seed: number, low = -1.5, high = 1.5): HostArray<'float32'> {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const unit = (((i + 1) * 0.754877 + seed * 0.569841) % 1) * 0.98 + 0.01;
    return low + (high - low) * unit;
  });
  return f32(shape, values);
}

async function valueOf(runtime: TestRuntime, f: Fn, ...inputs: HostArray[]): Promise<HostArray> {
  const result = runtime.jit(f, { name: 'f' })(...inputs.map((x) => runtime.toDevice(x)));
  return runtime.toHost(result);
}

/** The largest difference between the gradients and the slopes of sum(weights * f(inputs)). */
async function worstGradient(runtime: TestRuntime, f: Fn, inputs: readonly HostArray[]): Promise<number> {
  const loss = (...x: tf.Tensor[]) => {
    const y = f(...x);
    const weights = numbers(y.shape, 7).data as Float32Array;
    return tf.sum(tf.mul(tf.tensor(weights, y.shape), y)) as tf.Scalar;
  };
  const jitted = runtime.jit(loss as Fn, { name: 'loss' });
  const at = async (...arrays: HostArray[]) =>
    (await runtime.toHost(jitted(...arrays.map((x) => runtime.toDevice(x))))).data[0] as number;
  const sent = inputs.map((x) => runtime.toDevice(x));
  const grads = runtime.jit((...x: tf.Tensor[]) => tf.valueAndGrads(loss)([...x]).grads, { name: 'grads' })(
    ...sent,
  );
  const step = 1e-2;
  let difference = 0;
  for (const [which, input] of inputs.entries()) {
    const gradient = await runtime.toHost(grads[which] as tf.Tensor);
    expect(gradient.shape).toEqual(input.shape);
    for (let i = 0; i < input.data.length; i++) {
      const moved = (delta: number) =>
        inputs.map((x, k) =>
          k === which
            ? f32(
                x.shape,
                x.data.map((v, j) => (i === j ? v + delta : v)),
              )
            : x,
        );
      const slope = ((await at(...moved(step))) - (await at(...moved(-step)))) / (2 * step);
      difference = Math.max(
        difference,
        Math.abs(slope - (gradient.data[i] as number)) / Math.max(1, Math.abs(slope)),
      );
    }
  }
  return difference;
}

/** 2 / sqrt(pi) times the integral of exp(-t^2), in double precision. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** By bisection. */
function erfInv(y: number): number {
  let [low, high] = [-6, 6];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (erf(middle) < y) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const asFn = (f: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor) => f as Fn;
const key = hostArray('int32', [2], [4, 2]);
const at = f32([11], [-6, -3.1, -1.7, -0.6, -1e-3, 0, 1e-3, 0.4, 1.1, 2.9, 6]);

const gradients: Record<string, readonly [Fn, ...HostArray[]]> = {
  gelu: [asFn((x) => tf.gelu(x)), numbers([3, 2], 1)],
  'gelu, exact': [asFn((x) => tf.gelu(x, false)), numbers([3, 2], 1)],
  erfInv: [asFn((x) => tf.erfInv(x)), numbers([5], 2, -0.9, 0.9)],
  logSigmoid: [asFn((x) => tf.logSigmoid(x)), numbers([5], 2)],
  einsum: [asFn((x, y) => tf.einsum('bqd,dk->kbq', x, y)), numbers([2, 2, 3], 1), numbers([3, 2], 2)],
  'einsum that sums': [asFn((x, y) => tf.einsum('ij,jk->j', x, y)), numbers([2, 3], 1), numbers([3, 2], 2)],
  castStorage: [asFn((x) => tf.mul(tf.castStorage(x, 'float32'), x)), numbers([4], 1)],
  castStorageLike: [
    asFn((x, y) => tf.mul(runOwn('CastStorageLike', { x, like: y }, {}), y)),
    numbers([4], 1),
    numbers([4], 2),
  ],
  shardingConstraint: [asFn((x) => tf.square(tf.shardingConstraint(x, [null]))), numbers([4], 1)],
  optimizationBarrier: [
    asFn((x, y) => tf.mul(...(tf.optimizationBarrier([tf.square(x), y]) as [tf.Tensor, tf.Tensor]))),
    numbers([4], 1),
    numbers([4], 2),
  ],
  'optimizationBarrier of one': [
    asFn((x) => tf.optimizationBarrier([tf.square(x)])[0] as tf.Tensor),
    numbers([4], 1),
  ],
  'dropout keeps its mask': [
    asFn((x) => tf.dropout(tf.square(x), 0.5, tf.tensor([...key.data], [2], 'int32'))),
    numbers([10], 1),
  ],
};

onRuntimes((use) => {
  test.each(Object.keys(gradients))('gradient of %s', async (name) => {
    const [f, ...inputs] = gradients[name] as (typeof gradients)[string];
    expect(await worstGradient(use.runtime, f, inputs)).toBeLessThan(1e-2);
  });

  test.each(['gelu', 'gelu, exact', 'erfInv', 'logSigmoid'])('second derivative of %s', async (name) => {
    const [f, input] = gradients[name] as (typeof gradients)[string];
    const first: Fn = (x) => tf.grad((t: tf.Tensor) => tf.sum(f(t)))(x as tf.Tensor);
    expect(await worstGradient(use.runtime, first, [input as HostArray])).toBeLessThan(1e-2);
  });

  test.each([
    [
      'tanh',
      true,
      (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ],
    ['exact', false, (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
  ] as const)('gelu, %s', async (_name, approximate, want) => {
    const { data } = await valueOf(
      use.runtime,
      asFn((x) => tf.gelu(x, approximate)),
      at,
    );
    at.data.forEach((x, i) => expect(Math.abs((data[i] as number) - want(x))).toBeLessThan(2e-6));
  });

  test('erfInv', async () => {
    const y = f32([9], [-0.9999, -0.7, -0.1, -1e-6, 0, 1e-3, 0.5, 0.99, 0.999999]);
    const { data } = await valueOf(
      use.runtime,
      asFn((x) => tf.erfInv(x)),
      y,
    );
    y.data.forEach((v, i) => {
      const want = erfInv(v);
      expect(Math.abs((data[i] as number) - want)).toBeLessThan(6e-6 * Math.abs(want) + 1e-12);
    });
    const ends = await valueOf(
      use.runtime,
      asFn((x) => tf.erfInv(x)),
      f32([2], [-1, 1]),
    );
    expect([...ends.data]).toEqual([-Infinity, Infinity]);
  });

  test('logSigmoid far out', async () => {
    const { data } = await valueOf(
      use.runtime,
      asFn((x) => tf.logSigmoid(x)),
      f32([4], [-200, -90, 90, 200]),
    );
    expect([...data]).toEqual([-200, -90, expect.closeTo(0, 20), expect.closeTo(0, 20)]);
    const slopes = await valueOf(
      use.runtime,
      asFn((x) => tf.grad((t: tf.Tensor) => tf.sum(tf.logSigmoid(t)))(x)),
      f32([2], [-200, 200]),
    );
    expect([...slopes.data]).toEqual([1, expect.closeTo(0, 20)]);
  });

  test('stopGradient: the value passes, the gradient does not, and only this path is cut', async () => {
    const f = asFn((x) => tf.grad((t: tf.Tensor) => tf.sum(tf.mul(tf.stopGradient(tf.square(t)), t)))(x));
    expect([...(await valueOf(use.runtime, f, f32([3], [1, 2, -3]))).data]).toEqual([1, 4, 9]);
    const value = asFn((x) => tf.stopGradient(x));
    expect([...(await valueOf(use.runtime, value, f32([2], [1, 2]))).data]).toEqual([1, 2]);
  });

  describe('dropout', () => {
    const ones = f32([50, 40], new Float32Array(2000).fill(1));
    const dropped = (rate: number, on = key) =>
      valueOf(
        use.runtime,
        asFn((x, k) => tf.dropout(x, rate, k)),
        ones,
        on,
      );

    test('keeps 1 - rate of the values, scaled', async () => {
      const { data } = await dropped(0.3);
      const scale = Math.fround(1 / Math.fround(0.7));
      const kept = data.filter((x) => x !== 0);
      for (const x of kept) expect(Math.abs(x - scale)).toBeLessThan(1e-6);
      // Five standard deviations.
      expect(Math.abs(kept.length / 2000 - 0.7)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / 2000));
    });

    test('is the same for the same key, and another one for another', async () => {
      expect(await dropped(0.3)).toEqual(await dropped(0.3));
      expect((await dropped(0.3, hostArray('int32', [2], [4, 3]))).data).not.toEqual(
        (await dropped(0.3)).data,
      );
    });

    test('of rate 0 and 1', async () => {
      expect((await dropped(0)).data).toEqual(ones.data);
      expect((await dropped(1)).data.every((x) => x === 0)).toBe(true);
    });

    test('a dropped NaN or infinity is zero', async () => {
      const bad = f32([200], new Float32Array(200).fill(NaN));
      const { data } = await valueOf(
        use.runtime,
        asFn((x, k) => tf.dropout(x, 0.5, k)),
        bad,
        key,
      );
      expect(data.some((x) => x === 0)).toBe(true);
    });
  });

  test.each<[string, Fn]>([
    ['ThreefryBits', () => tf.random.bits(tf.tensor([1, 2], [2], 'int32'), [2])],
    ['ArgsortBits', (x) => runOwn('ArgsortBits', { bits: tf.cast(x as tf.Tensor, 'int32') }, {})],
  ])('%s has no gradient, and a path through integers carries none', (_name, f) => {
    const through = (x: tf.Tensor) => tf.sum(tf.add(tf.cast(f(x), 'float32'), x));
    // `cast` to int32 cuts the path; what is left is that of x.
    if (f.length === 0)
      expect([
        ...tf
          .grad(through)(tf.tensor([1, 2]))
          .dataSync(),
      ]).toEqual([1, 1]);
    else expect(() => tf.grad(through)(tf.tensor([1, 2]))).toThrow(/BvArgsortBits/);
  });
});

describe('what a rule says of its shape is what the fallback makes', () => {
  useEagerCpu();
  const float = () => tf.tensor([0.5, 0.25, -0.5, 0.1, 0.2, 0.3], [2, 3]);
  const int = (...shape: number[]) => tf.fill(shape, 3, 'int32');
  type Call = readonly [inputs: Readonly<Record<string, tf.Tensor>>, attrs: object];
  const calls: Record<OwnOp, () => Call> = {
    Einsum: () => [{ a: float(), b: float() }, { equation: 'ij,kj->ki' }],
    Gelu: () => [{ x: float() }, { approximate: false }],
    ErfInv: () => [{ x: float() }, {}],
    ThreefryHash: () => [{ key: int(4, 2), counters: int(3, 2) }, {}],
    ThreefryBits: () => [{ key: int(4, 1, 2) }, { shape: [2, 5] }],
    BitsToUniform: () => [{ bits: int(2, 3) }, { min: -1, max: 2 }],
    BitsToInteger: () => [
      { higher: int(2, 3), lower: int(2, 3) },
      { min: -2, span: 5 },
    ],
    ArgsortBits: () => [{ bits: int(2, 3) }, {}],
    CastStorage: () => [{ x: float() }, { storage: 'bfloat16' }],
    CastStorageLike: () => [{ x: float(), like: float() }, {}],
    ShardingConstraint: () => [{ x: float() }, { spec: [null, ['data']] }],
    OptimizationBarrier: () => [{ x0: float(), x1: int(4) }, {}],
  };

  test.each(Object.keys(calls) as OwnOp[])('%s', (op) => {
    const [inputs, attrs] = calls[op]();
    const rule = ownRules[op] as OwnRule<OwnOp>;
    const wanted = [rule.shape(inputs as never, attrs as never)].flat();
    const before = Object.values(inputs).map((x) => [...x.dataSync()]);
    const made = [runOwn(op, inputs as never, attrs as never)].flat() as tf.Tensor[];
    expect(made.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(wanted);
    // The results are tensors of their own.
    tf.dispose(made);
    expect(Object.values(inputs).map((x) => [...x.dataSync()])).toEqual(before);
  });

  test.each<[string, () => unknown, string]>([
    ['gelu', () => tf.gelu(int(2)), 'gelu: expected float32, got int32'],
    ['erfInv', () => tf.erfInv(int(2)), 'erfInv: expected float32'],
    ['einsum', () => tf.einsum('i,i->i', int(2), int(2)), 'einsum: expected float32'],
    ['bits', () => tf.random.bits(int(3), [2]), 'a key has shape [2], got [3]'],
    ['bits of floats', () => tf.random.bits(tf.zeros([2]), [2]), 'key: expected int32'],
    ['hash', () => runOwn('ThreefryHash', { key: int(2), counters: int(2) }, {}), 'must have shape [n, 2]'],
    ['argsort', () => runOwn('ArgsortBits', { bits: tf.scalar(1, 'int32') }, {}), 'at least one dimension'],
    ['castStorage', () => tf.castStorage(int(2), 'bfloat16'), 'castStorage: expected float32'],
    ['shardingConstraint', () => tf.shardingConstraint(float(), [null, null, null]), '3 dimensions of a tensor that has 2'], // prettier-ignore
  ])('%s refuses', (_name, call, message) => {
    expect(call).toThrow(message);
  });

  test('lists keep their order beyond ten', () => {
    const values = Array.from({ length: 12 }, (_, i) => i);
    expect(inOrder(byPosition(values))).toEqual(values);
    const backwards = Object.fromEntries(Object.entries(byPosition(values)).reverse());
    expect(inOrder(backwards)).toEqual(values);
  });
});

describe('float32 on the host', () => {
  test('erf and its inverse', () => {
    for (const x of [-5, -4, -3.99, -2, -0.5, 0, 1e-8, 0.1, 1, 2.5, 3.9, 4, 10]) {
      expect(erf32(x)).toBe(Math.fround(erf(x)));
    }
    for (const y of [-0.999999, -0.5, -1e-6, 0, 0.1, 0.9, 0.99999]) {
      const want = erfInv(Math.fround(y));
      expect(Math.abs(erfInv32(Math.fround(y)) - want)).toBeLessThanOrEqual(6e-6 * Math.abs(want) + 1e-12);
    }
    expect([erfInv32(1), erfInv32(-1)]).toEqual([Infinity, -Infinity]);
  });

  test('the next number', () => {
    expect(nextAfter32(1, 2)).toBe(1 + 2 ** -23);
    expect(nextAfter32(1, 0)).toBe(1 - 2 ** -24);
    expect(nextAfter32(-1, 0)).toBe(-1 + 2 ** -24);
    expect(nextAfter32(-1, -2)).toBe(-1 - 2 ** -23);
    expect([nextAfter32(0, 1), nextAfter32(0, -1)]).toEqual([2 ** -149, -(2 ** -149)]);
    expect(nextAfter32(3, 3)).toBe(3);
    expect(nextAfter32(NaN, 1)).toBeNaN();
  });
});
