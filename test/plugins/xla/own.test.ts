// Our own kernels and the gradients of ops, against their eager fallbacks on tfjs's cpu backend; and what only XLA has:
// storage types.

import * as tfc from '@tensorflow/tfjs-core';
import * as tf from '../../../core/tensor';
import { runOwn } from '../../../core/tensor/own-ops';
import { type Case, compareWithCpu, given, positive, useXla, values } from './support';

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
const cases: Case[] = [];
const add = (name: string, run: Run, ...inputs: Case['inputs']) =>
  cases.push({ name, run, inputs, tolerance: 4e-6 });

const equations: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['ij,jk->ik', [3, 4], [4, 5]],
  ['bqhd,bkhd->bhqk', [2, 3, 4, 5], [2, 6, 4, 5]],
  ['bhqk,bkhd->bqhd', [2, 4, 3, 6], [2, 6, 4, 5]],
  ['nd,nd->n', [3, 4], [3, 4]],
  ['ij,kl->likj', [2, 3], [4, 5]],
  ['ijk,j->ki', [2, 3, 4], [3]],
  ['ij,jk->', [3, 4], [4, 5]],
  ['bij,bjk->ik', [2, 3, 4], [2, 4, 5]],
  [',i->i', [], [3]],
];
for (const [equation, a, b] of equations) {
  add(`einsum ${equation}`, (x, y) => tf.einsum(equation, x!, y!), values(a), values(b));
  add(
    `gradient of einsum ${equation}`,
    (x, y) =>
      tfc.grads((p: tf.Tensor, q: tf.Tensor) => tf.sum(tf.square(tf.einsum(equation, p, q))))([x!, y!]),
    values(a, 1),
    values(b, 1),
  );
}
add('einsum of one', (x) => tf.einsum('ijk->kj', x!), values([2, 3, 4]));
add('gelu', (x) => tf.gelu(x!), values([5, 7], 4));
add('exact gelu', (x) => tf.gelu(x!, false), values([5, 7], 4));
cases.push({
  name: 'erfInv',
  run: (x) => tf.erfInv(x),
  inputs: [given('float32', [9], -1, -0.999, -0.5, -1e-3, 0, 0.25, 0.9, 0.9999, 1)],
  at: [given('float32', [5], -0.9, -0.5, 0, 0.25, 0.9)],
  tolerance: 4e-6,
});
add(
  'threefryHash',
  (k, c) => runOwn('ThreefryHash', { key: k!, counters: c! }, {}),
  given('int32', [2], 42, -7),
  given('int32', [3, 2], 0, 1, -5, 6, 7, 8),
);
add(
  'threefryHash of several keys',
  (k, c) => runOwn('ThreefryHash', { key: k!, counters: c! }, {}),
  given('int32', [2, 2], 1, 2, 3, 4),
  given('int32', [2, 2], 0, 1, 2, 3),
);
add('threefryBits', (k) => tf.random.bits(k!, [3, 5]), given('int32', [2], 7, 9));
add('threefryBits of several keys', (k) => tf.random.bits(k!, [3]), given('int32', [2, 2], 7, 9, 1, 2));
add('threefryBits of a scalar', (k) => tf.random.bits(k!, []), given('int32', [2], 7, 9));
add('uniform', (k) => tf.random.uniform(k!, [20], -2, 5), given('int32', [2], 0, 1));
add('randint', (k) => tf.random.randint(k!, [20], -3, 1000), given('int32', [2], 0, 1));
add('permutation', (k) => tf.random.permutation(k!, 50), given('int32', [2], 0, 3));
add('split', (k) => tf.random.split(k!, 3), given('int32', [2], 0, 3));
add('foldIn', (k, step) => tf.random.foldIn(k!, step!), given('int32', [2], 0, 3), given('int32', [], 12345));
add('bernoulli', (k) => tf.cast(tf.random.bernoulli(k!, 0.3, [40]), 'int32'), given('int32', [2], 5, 5));
add('dropout', (x, k) => tf.dropout(x!, 0.4, k!), values([6, 7]), given('int32', [2], 5, 5));
add('categorical', (x, k) => tf.random.categorical(k!, x!), values([6, 7]), given('int32', [2], 5, 5));
add('optimizationBarrier', (x, y) => tf.optimizationBarrier([x!, y!]), values([2]), values([3]));

// ---- loops, branches and rematerialisation: JavaScript's on cpu, regions of the program on XLA
type X = { w: tf.Tensor; b: tf.Tensor };
const layer =
  (scale: tf.Tensor) =>
  (h: tf.Tensor, { w, b }: X): [tf.Tensor, tf.Tensor] => {
    const next = tf.tanh(tf.add(tf.matMul(h, w), tf.mul(b, scale)));
    return [next, tf.mean(tf.square(next), 1)];
  };
const layers = [values([2, 3]), values([4, 3, 3], 0.9), values([4, 3]), values([])] as const;
for (const remat of tf.rematPolicies) {
  add(
    `scan with ${remat}`,
    (h, w, b, scale) => tf.scan(layer(scale!), h!, { w: w!, b: b! }, { remat }),
    ...layers,
  );
  add(
    `remat with ${remat}`,
    (h, w, b, scale) =>
      tf.remat((at: tf.Tensor, x: X) => tf.square(layer(scale!)(at, x)[0]), remat)(h!, { w: w!, b: b! }),
    values([2, 3]),
    values([3, 3], 0.9),
    values([3]),
    values([]),
  );
}
add(
  'scan backwards',
  (h, w, b, scale) => tf.scan(layer(scale!), h!, { w: w!, b: b! }, { reverse: true }),
  ...layers,
);
for (const sign of [1, -1]) {
  add(
    `cond of ${sign}`,
    (x, y) =>
      tf.cond(
        tf.greater(tf.sum(tf.mul(x!, 0)), -sign),
        () => tf.mul(tf.sin(x!), y!),
        () => tf.square(y!),
      ),
    values([2, 3]),
    values([2, 3], 1),
  );
}
for (const axis of [0, 1]) {
  for (const reverse of [false, true]) {
    add(
      `associativeScan over ${axis}${reverse ? ', reverse' : ''}`,
      (x) => tf.associativeScan<tf.Tensor>(tf.mul, x!, { axis, reverse }),
      values([5, 6]),
    );
  }
}
cases.push({
  name: 'whileLoop, which has no gradient',
  run: (x) =>
    tf.whileLoop(
      (at) => tf.less(tf.sum(at), 100),
      (at) => tf.mul(at, 2),
      x,
    ),
  inputs: [positive([3])],
  gradient: 'none',
});

// ---- gradients of compositions: which kernels they need is tfjs's business, that they agree is ours
const gradients: Record<string, [(x: tf.Tensor) => tf.Tensor, Case['inputs'][number]]> = {
  gelu: [(x) => tf.gelu(x), values([3, 5], 3)],
  'exact gelu': [(x) => tf.gelu(x, false), values([3, 5], 3)],
  softmax: [(x) => tf.softmax(x), values([3, 5])],
  logSoftmax: [(x) => tf.logSoftmax(x), values([3, 5])],
  logSumExp: [(x) => tf.logSumExp(x, -1), values([3, 5])],
  mean: [(x) => tf.mean(x, [0, 2]), values([2, 3, 4])],
  'layer norm': [
    (x) => {
      const centered = tf.sub(x, tf.mean(x, -1, true));
      return tf.mul(centered, tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), 1e-6)));
    },
    values([3, 5]),
  ],
  max: [(x) => tf.max(x, 1), values([3, 5])],
  broadcast: [(x) => tf.mul(tf.broadcastTo(x, [4, 3, 5]), 2), values([3, 5])],
  tile: [(x) => tf.tile(x, [2, 3]), values([3, 5])],
  'gather and scatter': [(x) => tf.gather(x, tfc.tensor1d([2, 0, 2], 'int32')), values([3, 5])],
  concat: [(x) => tf.concat([x, tf.square(x)], 1), values([3, 5])],
  'slice and pad': [
    (x) =>
      tf.pad(tf.slice(x, [0, 1], [2, 3]), [
        [1, 0],
        [0, 2],
      ]),
    values([3, 5]),
  ],
  transpose: [(x) => tf.transpose(tf.reshape(x, [3, 5, 1]), [2, 1, 0]), values([3, 5])],
  'split and stack': [(x) => tf.stack(tf.split(x, 3, 0), 2), values([3, 5])],
  pow: [(x) => tf.pow(x, 3), positive([3, 5])],
  sqrt: [(x) => tf.sqrt(x), positive([3, 5])],
  clip: [(x) => tf.clipByValue(x, -1, 1), values([3, 5])],
  'log and exp': [(x) => tf.log(tf.add(tf.exp(x), 1)), values([3, 5])],
  'sigmoid and softplus': [(x) => tf.add(tf.sigmoid(x), tf.softplus(x)), values([3, 5])],
  'div of both': [(x) => tf.div(x, tf.add(tf.square(x), 1)), values([3, 5])],
  'max pool': [(x) => tf.maxPool(x as tf.Tensor<tfc.Rank.R4>, 2, 2, 'same'), values([1, 5, 4, 2])],
  'avg pool': [(x) => tf.avgPool(x as tf.Tensor<tfc.Rank.R4>, 2, 2, 'valid'), values([1, 5, 4, 2])],
  conv2d: [
    (x) =>
      tf.conv2d(
        x as tf.Tensor<tfc.Rank.R4>,
        tf.slice(x, [0, 0, 0, 0], [2, 2, -1, -1]) as tf.Tensor<tfc.Rank.R4>,
        1,
        'same',
      ),
    values([4, 4, 2, 2]),
  ],
  where: [(x) => tf.where(tf.greater(x, 0), tf.square(x), tf.neg(x)), values([3, 5])],
  cumsum: [(x) => tf.cumsum(x, 1), values([3, 5])],
  'square of sum': [(x) => tf.square(tf.sum(x, 0, true)), values([3, 5])],
};
for (const [name, [op, x]] of Object.entries(gradients)) {
  add(`gradient of ${name}`, (t) => tfc.grad((y: tf.Tensor) => tf.sum(tf.mul(op(y), tf.cos(op(y)))))(t!), x);
}

compareWithCpu(cases);

describe('storage types', () => {
  const holder = useXla();
  const storage = (x: tf.Tensor) => holder.runtime.specOf(x).dtype;
  const run = (fn: (x: tf.Tensor) => tf.Tensor, x = values([4, 8])) => {
    const f = holder.runtime.jit(fn, { name: 'f' });
    return f(holder.runtime.toDevice(x));
  };
  const half = (x: tf.Tensor) => tf.castStorage(x, 'bfloat16');

  test.each<[string, (x: tf.Tensor) => tf.Tensor, string]>([
    ['bfloat16 with bfloat16', (x) => tf.add(half(x), half(x)), 'bfloat16'],
    ['bfloat16 with float32', (x) => tf.add(half(x), x), 'float32'],
    ['bfloat16 with float16', (x) => tf.add(half(x), tf.castStorage(x, 'float16')), 'float32'],
    ['bfloat16 with a number', (x) => tf.mul(tf.add(half(x), 2), 0.5), 'bfloat16'],
    ['a number with bfloat16', (x) => tf.sub(1, half(x)), 'bfloat16'],
    ['matMul', (x) => tf.matMul(half(x), half(x), false, true), 'bfloat16'],
    ['matMul of both', (x) => tf.matMul(half(x), x, false, true), 'float32'],
    ['einsum', (x) => tf.einsum('ij,kj->ik', half(x), half(x)), 'bfloat16'],
    ['gelu', (x) => tf.gelu(half(x)), 'bfloat16'],
    ['softmax', (x) => tf.softmax(half(x)), 'bfloat16'],
    ['mean', (x) => tf.mean(half(x), 0), 'bfloat16'],
    ['sum', (x) => tf.sum(half(x)), 'bfloat16'],
    ['max', (x) => tf.max(half(x)), 'bfloat16'],
    ['concat', (x) => tf.concat([half(x), x]), 'float32'],
    ['where', (x) => tf.where(tf.greater(half(x), 0), half(x), 0), 'bfloat16'],
    ['reshape', (x) => tf.reshape(half(x), [-1]), 'bfloat16'],
    ['zerosLike', (x) => tf.zerosLike(half(x)), 'bfloat16'],
    ['cast to float32 that is no change', (x) => tf.cast(half(x), 'float32'), 'bfloat16'],
    ['cast back', (x) => tf.castStorage(half(x), 'float32'), 'float32'],
    ['the gradient of a cast', (x) => tfc.grad((y: tf.Tensor) => tf.sum(tf.square(half(y))))(x), 'float32'],
    [
      'the gradient of bfloat16',
      (x) => tfc.grad((y: tf.Tensor) => tf.sum(tf.square(y)))(half(x)),
      'bfloat16',
    ],
  ])('%s', (_name, fn, expected) => {
    const result = run(fn);
    expect(result.dtype).toBe('float32');
    expect(storage(result)).toBe(expected);
  });

  test('sums accumulate in float32', () => {
    // In bfloat16 all the way a sum of ones stops at 256.
    const ones = given('float32', [4000], ...Array.from({ length: 4000 }, () => 1));
    expect(run((x) => tf.sum(half(x)), ones).dataSync()[0]).toBe(4000);
    expect(run((x) => tf.mean(half(x)), ones).dataSync()[0]).toBe(1);
  });

  test('outside of a trace too', () => {
    const x = half(tf.tensor([1, 2]));
    expect(storage(tf.add(x, 1))).toBe('bfloat16');
    expect(storage(tf.add(x, tf.tensor([1, 2])))).toBe('float32');
  });
});
