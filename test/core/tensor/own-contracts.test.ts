// What the tables of our own kernels promise: to the compiler, to the gradient tape, to the memory.

import { memory } from '@tensorflow/tfjs-core';
import * as tf from '../../../core/tensor';
import { runOwn } from '../../../core/tensor/own-ops';
import { ownRules } from '../../../core/tensor/own-rules';
import { useEagerCpu } from '../../support/runtimes';

useEagerCpu();

test('an op that lacks a rule, a gradient or an attribute does not compile', () => {
  const { Gelu, ...others } = ownRules;
  // @ts-expect-error -- no rule for Gelu
  const lacking: typeof ownRules = others;
  const { gradient, ...silent } = Gelu;
  // @ts-expect-error -- no gradient must be said with null
  const undecided: typeof Gelu = silent;
  // @ts-expect-error -- an attribute that Gelu doesn't have
  const wrong = () => runOwn('Gelu', { x: tf.scalar(1) }, { exact: true });
  // @ts-expect-error -- Einsum takes a and b
  const short = () => runOwn('Einsum', { a: tf.scalar(1) }, { equation: ',->' });
  expect([lacking, gradient, undecided, wrong, short]).toHaveLength(5);
});

test('ops and their gradients leave no tensors behind', () => {
  const key = tf.tensor([0, 7], [2], 'int32');
  const x = tf.tensor([0.1, 0.2, 0.3, 0.4], [2, 2]);
  const f = (x: tf.Tensor) => {
    const [a] = tf.optimizationBarrier([tf.castStorage(tf.gelu(x), 'bfloat16'), x]) as [tf.Tensor];
    const b = tf.einsum('ij,jk->ik', a, tf.stopGradient(tf.erfInv(x)));
    return tf.sum(tf.dropout(tf.shardingConstraint(b, []), 0.5, key)) as tf.Scalar;
  };
  const before = memory();
  for (let i = 0; i < 3; i++) tf.tidy(() => void tf.valueAndGrad(f)(x));
  expect(memory()).toMatchObject({ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers });
  // Without a tidy around, only the results may be left.
  tf.dispose(tf.gelu(x));
  tf.dispose(tf.random.bits(key, [5]));
  tf.dispose(tf.stopGradient(x));
  expect(memory().numTensors).toBe(before.numTensors);
  expect(x.dataSync()[3]).toBeCloseTo(0.4);
});

test('a barrier, some of whose results nobody uses', () => {
  const f = (a: tf.Tensor, b: tf.Tensor) => {
    const [c, d] = tf.optimizationBarrier([a, b, tf.scalar(1)]) as [tf.Tensor, tf.Tensor];
    return tf.add(tf.sum(tf.square(c)), tf.mul(0, tf.sum(d))) as tf.Scalar;
  };
  const { grads } = tf.valueAndGrads(f)([tf.tensor([1, 2]), tf.tensor([5])]);
  expect(grads.map((grad) => [...grad.dataSync()])).toEqual([[2, 4], [0]]);
  const ofOne = tf.grad((x: tf.Tensor) => tf.sum(tf.optimizationBarrier([x])[0] as tf.Tensor));
  expect([...ofOne(tf.ones([2])).dataSync()]).toEqual([1, 1]);
});

test('what the result does not depend on has a gradient of zeros, as in JAX', () => {
  const constant = (x: tf.Tensor) => tf.sum(tf.stopGradient(tf.square(x)));
  expect([
    ...tf
      .grad(constant)(tf.ones([2]))
      .dataSync(),
  ]).toEqual([0, 0]);
  const { value, grad } = tf.valueAndGrad(() => tf.scalar(3))(tf.ones([2]));
  expect([value.dataSync()[0], ...grad.dataSync()]).toEqual([3, 0, 0]);
  const first = (a: tf.Tensor, _b: tf.Tensor, c: tf.Tensor) => tf.sum(tf.mul(a, c)) as tf.Scalar;
  const { grads } = tf.valueAndGrads(first)([tf.tensor([1, 2]), tf.ones([3]), tf.tensor([4, 5])]);
  expect(grads.map((x) => [...x.dataSync()])).toEqual([[4, 5], [0, 0, 0], [1, 2]]); // prettier-ignore
});

test('a gradient for a given dy', () => {
  const twice = (x: tf.Tensor) => tf.mul(x, tf.tensor([2, 3]));
  expect([
    ...tf
      .grad(twice)(tf.ones([2]), tf.tensor([5, 7]))
      .dataSync(),
  ]).toEqual([10, 21]);
  expect(() => tf.grad(twice)(tf.ones([2]), tf.ones([3]))).toThrow('dy must have the shape of the result');
});

test('random integers in spans that wrap: the formula in whole numbers', () => {
  const words = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 123456789, -987654321];
  const [higher, lower] = [words, [...words].reverse()].map((values) =>
    tf.tensor(values, [words.length], 'int32'),
  ) as [tf.Tensor, tf.Tensor];
  for (const span of [1, 2, 10, 65535, 65536, 65537, 2 ** 31, 2 ** 32 - 1]) {
    const got = runOwn('BitsToInteger', { higher, lower }, { min: -5, span }).dataSync();
    const [word, n] = [(x: number) => BigInt(x >>> 0), BigInt(span)];
    const wrap = (x: bigint) => BigInt.asUintN(32, x);
    const multiplier = wrap((65536n % n) * (65536n % n)) % n;
    words.forEach((high, i) => {
      const low = words[words.length - 1 - i] as number;
      const offset = wrap(wrap((word(high) % n) * multiplier) + (word(low) % n)) % n;
      expect([span, i, got[i]]).toEqual([span, i, Number(BigInt.asIntN(32, offset - 5n))]);
    });
  }
});
