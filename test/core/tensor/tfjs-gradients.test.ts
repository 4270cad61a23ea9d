// Gradients against central differences, on the eager backends that tests can have.

import { engine, getGradient } from '@tensorflow/tfjs-core';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tf from '../../../core/tensor';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { type Plugin, registrarFor } from '../../../core/plugin';
import tfjs from '../../../plugins/tfjs';
import { cpuGradientCases, gradientCases, numbers } from '../../support/gradient-cases';

/** The largest difference between the gradients and the slopes of sum(weights * f(inputs)). */
function worst(f: (...x: tf.Tensor[]) => tf.Tensor, inputs: readonly tf.Tensor[]): number {
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

describe.each(['cpu', 'wasm'])('%s', (name) => {
  beforeAll(async () => {
    const container = Container.create();
    const registry = new Registry();
    (tfjs as Plugin).register?.(registrarFor(tfjs, registry, container));
    await registry.create(container, 'runtime', name, {}, 'runtime')({});
  });

  test.each(Object.keys(gradientCases))('%s', (name) => {
    const [f, ...inputs] = (gradientCases[name] as (typeof gradientCases)[string])();
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
    const shared = (a: tf.Tensor) =>
      tf.sum(engine().runKernel('Cumprod', { x: a }, { axis: 0 }) as tf.Tensor);
    expect(() => tf.grad(shared)(tf.tensor([1, 2, 3]))).toThrow(/Cumprod/);
  });

  if (name === 'cpu') {
    test.each(Object.keys(cpuGradientCases))('%s', (name) => {
      const [f, ...inputs] = (cpuGradientCases[name] as (typeof gradientCases)[string])();
      expect(worst(f, inputs)).toBeLessThan(1e-2);
    });
  }
});

test('each gradient that tfjs defines is there, but for complex numbers', () => {
  const folder = path.join(path.dirname(require.resolve('@tensorflow/tfjs-core')), 'gradients');
  const defined = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('_grad.js'))
    .map((file) => /kernelName: (\w+)/.exec(fs.readFileSync(path.join(folder, file), 'utf8'))?.[1] as string);
  expect(defined.length).toBeGreaterThan(90);
  const missing = defined.filter((kernel) => !getGradient(kernel));
  expect(missing).toEqual(['ComplexAbs']);
});
