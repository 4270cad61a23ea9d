// Gradients against central differences, on the eager backends that tests can have.

import * as tf from '../../../core/tensor';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { type Plugin, registrarFor } from '../../../core/plugin';
import tfjs from '../../../plugins/tfjs';

type Fn = (...x: tf.Tensor[]) => tf.Tensor;

/** Numbers that look random, away from 0 and from each other, the same every time. */
function numbers(shape: readonly number[], seed: number, low = -1.5, high = 1.5): tf.Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const values = Array.from({ length: size }, (_, i) => {
    const unit = (((i + 1) * 0.754877 + seed * 0.569841) % 1) * 0.98 + 0.01;
    return low + (high - low) * unit;
  });
  return tf.tensor(values, shape as number[]);
}

/** The largest difference between the gradients and the slopes of sum(weights * f(inputs)). */
function worst(f: Fn, inputs: readonly tf.Tensor[]): number {
  const shape = f(...inputs).shape;
  const weights = numbers(shape, 7);
  const loss = (...x: tf.Tensor[]) => tf.sum(tf.mul(weights, f(...x))) as tf.Scalar;
  const { grads } = tf.valueAndGrads((...x: tf.Tensor[]) => loss(...x))([...inputs]);
  const step = 1e-2;
  let difference = 0;
  inputs.forEach((input, which) => {
    const gradient = (grads[which] as tf.Tensor).dataSync();
    expect((grads[which] as tf.Tensor).shape).toEqual(input.shape);
    const values = input.dataSync();
    for (let i = 0; i < values.length; i++) {
      const at = (delta: number) => {
        const moved = Float32Array.from(values, (value, j) => (i === j ? value + delta : value));
        const all = inputs.map((x, k) => (k === which ? tf.tensor(moved, input.shape) : x));
        return loss(...all).dataSync()[0] as number;
      };
      const slope = (at(step) - at(-step)) / (2 * step);
      const scale = Math.max(1, Math.abs(slope));
      difference = Math.max(difference, Math.abs(slope - (gradient[i] as number)) / scale);
    }
  });
  return difference;
}

const x = () => numbers([2, 3], 1);
const positive = (shape: readonly number[] = [2, 3]) => numbers(shape, 2, 0.4, 2);
const ids = () => tf.tensor([2, 0, 2, 1], [4], 'int32');

const cases: Record<string, () => [Fn, ...tf.Tensor[]]> = {
  abs: () => [tf.abs, x()],
  cos: () => [tf.cos, x()],
  erf: () => [tf.erf, x()],
  exp: () => [tf.exp, x()],
  expm1: () => [tf.expm1, x()],
  log: () => [tf.log, positive()],
  log1p: () => [tf.log1p, positive()],
  neg: () => [tf.neg, x()],
  reciprocal: () => [tf.reciprocal, positive()],
  relu: () => [tf.relu, x()],
  rsqrt: () => [tf.rsqrt, positive()],
  sigmoid: () => [tf.sigmoid, x()],
  logSigmoid: () => [(a) => tf.logSigmoid(tf.mul(2, a as tf.Tensor)), x()],
  sin: () => [tf.sin, x()],
  softplus: () => [tf.softplus, x()],
  sqrt: () => [tf.sqrt, positive()],
  square: () => [tf.square, x()],
  tan: () => [tf.tan, numbers([4], 1, -1, 1)],
  tanh: () => [tf.tanh, x()],
  clip: () => [(a) => tf.clipByValue(a as tf.Tensor, -0.5, 0.5), x()],
  floor: () => [(a) => tf.mul(a as tf.Tensor, tf.floor(a as tf.Tensor)), numbers([3], 4, 0.2, 0.9)],

  add: () => [tf.add, x(), numbers([3], 2)],
  sub: () => [tf.sub, numbers([1], 1), x()],
  mul: () => [tf.mul, x(), numbers([2, 1], 2)],
  div: () => [tf.div, x(), positive([3])],
  mod: () => [tf.mod, positive([2, 3]), tf.tensor([5])],
  pow: () => [tf.pow, positive(), x()],
  maximum: () => [tf.maximum, x(), numbers([3], 3)],
  minimum: () => [tf.minimum, x(), numbers([1, 3], 3)],
  squaredDifference: () => [tf.squaredDifference, x(), numbers([3], 3)],
  addN: () => [(a, b) => tf.addN([a as tf.Tensor, b as tf.Tensor, a as tf.Tensor]), x(), numbers([2, 3], 5)],
  where: () => [
    (a, b) => tf.where(tf.greater(a as tf.Tensor, 0), a as tf.Tensor, b as tf.Tensor),
    x(),
    numbers([3], 5),
  ],

  sum: () => [(a) => tf.sum(a as tf.Tensor, 0), x()],
  sumAll: () => [(a) => tf.sum(a as tf.Tensor), x()],
  sumKept: () => [(a) => tf.sum(a as tf.Tensor, -1, true), x()],
  mean: () => [(a) => tf.mean(a as tf.Tensor, [0, 2]), numbers([2, 3, 2], 3)],
  max: () => [(a) => tf.max(a as tf.Tensor, 1), x()],
  min: () => [(a) => tf.min(a as tf.Tensor, 0, true), x()],
  softmax: () => [(a) => tf.softmax(a as tf.Tensor), x()],
  logSoftmax: () => [(a) => tf.logSoftmax(a as tf.Tensor), x()],
  logSumExp: () => [(a) => tf.logSumExp(a as tf.Tensor, 1), x()],
  moments: () => [(a) => tf.moments(a as tf.Tensor, 1).variance, x()],
  cumsum: () => [(a) => tf.cumsum(a as tf.Tensor, 0), x()],
  cumsumReverse: () => [(a) => tf.cumsum(a as tf.Tensor, 1, true, true), x()],
  segmentSum: () => [
    (a) => tf.unsortedSegmentSum(a as tf.Tensor, ids() as tf.Tensor1D, 3),
    numbers([4, 2], 3),
  ],

  reshape: () => [(a) => tf.reshape(a as tf.Tensor, [3, 2]), x()],
  expandDims: () => [(a) => tf.expandDims(a as tf.Tensor, 1), x()],
  squeeze: () => [(a) => tf.squeeze(a as tf.Tensor, [1]), numbers([2, 1, 3], 3)],
  broadcastTo: () => [(a) => tf.broadcastTo(a as tf.Tensor, [2, 2, 3]), numbers([2, 1], 3)],
  tile: () => [(a) => tf.tile(a as tf.Tensor, [2, 1, 2, 1, 3]), numbers([2, 2, 1, 2, 1], 3)],
  transpose: () => [(a) => tf.transpose(a as tf.Tensor, [2, 0, 1]), numbers([2, 3, 2], 3)],
  reverse: () => [(a) => tf.reverse(a as tf.Tensor, [1]), x()],
  slice: () => [(a) => tf.slice(a as tf.Tensor, [0, 1], [2, -1]), x()],
  pad: () => [
    (a) =>
      tf.pad(a as tf.Tensor, [
        [1, 0],
        [2, 1],
      ]),
    x(),
  ],
  concat: () => [(a, b) => tf.concat([a as tf.Tensor, b as tf.Tensor], -1), x(), numbers([2, 2], 5)],
  split: () => [(a) => tf.sub(...(tf.split(a as tf.Tensor, 2, 0) as [tf.Tensor, tf.Tensor])), x()],
  stack: () => [(a, b) => tf.stack([a as tf.Tensor, b as tf.Tensor], 1), x(), numbers([2, 3], 5)],
  unstack: () => [(a) => tf.mul(...(tf.unstack(a as tf.Tensor) as [tf.Tensor, tf.Tensor])), x()],
  unstackOne: () => [(a) => tf.unstack(a as tf.Tensor)[0] as tf.Tensor, numbers([1, 3], 2)],
  gather: () => [(a) => tf.gather(a as tf.Tensor, ids()), numbers([3, 2], 3)],
  gatherAlong1: () => [
    (a) =>
      tf.gather(
        a as tf.Tensor,
        tf.tensor(
          [
            [2, 0],
            [2, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
    numbers([2, 3, 2], 3),
  ],
  spaceToBatch: () => [
    (a) =>
      tf.spaceToBatchND(
        a as tf.Tensor,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    numbers([1, 2, 2, 1], 3),
  ],
  batchToSpace: () => [
    (a) =>
      tf.batchToSpaceND(
        a as tf.Tensor,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    numbers([4, 1, 1, 1], 3),
  ],

  conv2d: () => [
    (a, b) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same'),
    numbers([1, 4, 3, 2], 3),
    numbers([2, 2, 2, 3], 4),
  ],
  depthwiseConv2d: () => [
    (a, b) => tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'),
    numbers([1, 3, 3, 2], 3),
    numbers([2, 2, 2, 1], 4),
  ],
  avgPool: () => [(a) => tf.avgPool(a as tf.Tensor4D, 2, 1, 'valid'), numbers([1, 3, 3, 1], 3)],
  maxPool: () => [(a) => tf.maxPool(a as tf.Tensor4D, 2, 1, 'valid'), numbers([1, 3, 3, 1], 3)],
};

describe.each(['cpu', 'wasm'])('%s', (name) => {
  beforeAll(async () => {
    const container = Container.create();
    const registry = new Registry();
    (tfjs as Plugin).register?.(registrarFor(tfjs, registry, container));
    await registry.create(container, 'runtime', name, {}, 'runtime')({});
  });

  test.each(Object.keys(cases))('%s', (name) => {
    const [f, ...inputs] = (cases[name] as (typeof cases)[string])();
    expect(worst(f, inputs)).toBeLessThan(1e-2);
  });

  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('matMul %s %s, and a batch of one against a batch of two', (transposeA, transposeB) => {
    const a = numbers(transposeA ? [2, 3, 2] : [2, 2, 3], 1);
    const b = numbers(transposeB ? [1, 4, 3] : [1, 3, 4], 2);
    expect(
      worst((p, q) => tf.matMul(p as tf.Tensor, q as tf.Tensor, transposeA, transposeB), [a, b]),
    ).toBeLessThan(1e-2);
  });

  test('ties share the gradient, as in JAX', () => {
    const at = tf.tensor([1, 3, 3]);
    expect([
      ...tf
        .grad((a) => tf.max(a))(at)
        .dataSync(),
    ]).toEqual([0, 0.5, 0.5]);
    expect([
      ...tf
        .grad((a) => tf.sum(tf.maximum(a, 3)))(at)
        .dataSync(),
    ]).toEqual([0, 0.5, 0.5]);
    expect(
      tf
        .grad((a) => tf.abs(a))(tf.scalar(0))
        .dataSync()[0],
    ).toBe(0);
  });

  test('no NaN where a branch is not taken, and at powers of 0', () => {
    const safe = (a: tf.Tensor) => tf.sum(tf.where(tf.greater(a, 0), tf.log(tf.maximum(a, 1e-9)), 0));
    expect([
      ...tf
        .grad(safe)(tf.tensor([0, 2]))
        .dataSync(),
    ]).toEqual([0, 0.5]);
    const { grads } = tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.pow(a, b)) as tf.Scalar)([
      tf.tensor([0, 0, 2]),
      tf.tensor([0, 2, 0]),
    ]);
    expect([...(grads[0] as tf.Tensor).dataSync()]).toEqual([0, 0, 0]);
    expect((grads[1] as tf.Tensor).dataSync().every(Number.isFinite)).toBe(true);
  });

  test('second derivatives', () => {
    const cube = tf.grad(tf.grad((a) => tf.mul(a, tf.square(a))));
    expect(cube(tf.scalar(2)).dataSync()[0]).toBeCloseTo(12, 5);
  });

  // tfjs loses the part of a second derivative that passes through a saved result, without a word.
  const curved: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    exp: tf.exp,
    expm1: tf.expm1,
    reciprocal: tf.reciprocal,
    sigmoid: tf.sigmoid,
    sqrt: tf.sqrt,
    rsqrt: tf.rsqrt,
    tan: tf.tan,
    tanh: tf.tanh,
    log: tf.log,
    log1p: tf.log1p,
    softplus: tf.softplus,
    logSigmoid: tf.logSigmoid,
    erf: tf.erf,
    erfInv: tf.erfInv,
    gelu: (x) => tf.gelu(x),
    cos: tf.cos,
    pow: (x) => tf.pow(x, 2.5),
    div: (x) => tf.div(x, tf.add(1, tf.square(x))),
    softmax: (x) => tf.slice(tf.softmax(tf.stack([x, tf.square(x)])), 0, 1),
    logSoftmax: (x) => tf.slice(tf.logSoftmax(tf.stack([x, tf.square(x)])), 1, 1),
    logSumExp: (x) => tf.logSumExp(tf.stack([x, tf.square(x)])),
    max: (x) => tf.square(tf.max(tf.stack([x, tf.mul(2, x)]))),
    mean: (x) => tf.square(tf.mean(tf.stack([tf.square(x), x]))),
  };

  test.each(Object.keys(curved))('second derivative of x times %s', (name) => {
    const f = (x: tf.Tensor) => tf.sum(tf.mul(x, (curved[name] as (x: tf.Tensor) => tf.Tensor)(x)));
    const first = tf.grad(f);
    const slope = (at: number) => first(tf.scalar(at)).dataSync()[0] as number;
    const want = (slope(0.71) - slope(0.69)) / 0.02;
    const second = tf
      .grad((x: tf.Tensor) => first(x))(tf.scalar(0.7))
      .dataSync()[0] as number;
    expect(Math.abs(second - want)).toBeLessThan(5e-3 * Math.max(1, Math.abs(want)));
    // And the third.
    const twice = tf.grad((x: tf.Tensor) => first(x));
    const bend = (at: number) => twice(tf.scalar(at)).dataSync()[0] as number;
    const third = tf
      .grad((x: tf.Tensor) => twice(x))(tf.scalar(0.7))
      .dataSync()[0] as number;
    const wantThird = (bend(0.72) - bend(0.68)) / 0.04;
    expect(Math.abs(third - wantThird)).toBeLessThan(2e-2 * Math.max(1, Math.abs(wantThird)));
  });

  test('what has no gradient says so', () => {
    const mirrored = (a: tf.Tensor) => tf.sum(tf.mirrorPad(a, [[1, 1]], 'reflect'));
    expect(() => tf.grad(mirrored)(tf.tensor([1, 2, 3]))).toThrow(/MirrorPad/);
  });
});
