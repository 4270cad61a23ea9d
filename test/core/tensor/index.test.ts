// Every op of the one door to tensors: it exists, and gives the same on each runtime.

import { Container } from '../../../core/container';
import { type HostArray, hostArray } from '../../../core/array';
import { Registry } from '../../../core/extensions';
import { type Plugin, registrarFor } from '../../../core/plugin';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import tfjs from '../../../plugins/tfjs';
import xla from '../../../plugins/xla';
import { compareEntry } from '../../support/golden';
import { fetchAll } from '../../support/runtimes';

type Door = typeof tf;
/** All that is exported and can be called: an op without a sample doesn't compile. */
type OpName = Exclude<
  { [K in keyof Door]: Door[K] extends (...args: never[]) => unknown ? K : never }[keyof Door],
  'Tensor'
>;

/** Inputs of any shape and dtype that an op needs. */
const inputs = {
  /** Both signs, distinct. */
  x: hostArray('float32', [2, 3], [-1.7, 0.3, 2.2, -0.4, 1.1, 0.9]),
  y: hostArray('float32', [3], [0.5, -1.25, 2]),
  positive: hostArray('float32', [2, 3], [0.3, 1.7, 2.5, 0.05, 0.9, 4]),
  /** In (-1, 1). */
  small: hostArray('float32', [2, 3], [-0.99, -0.4, 0, 0.2, 0.7, 0.999]),
  special: hostArray('float32', [5], [NaN, Infinity, -Infinity, 0, 1]),
  ties: hostArray('float32', [2, 4], [1, 3, 3, 2, 0, -1, -1, 0]),
  i: hostArray('int32', [2, 3], [-7, 5, 2, 3, -1, 4]),
  j: hostArray('int32', [3], [2, 3, -2]),
  ids: hostArray('int32', [4], [2, 0, 2, 1]),
  b: hostArray('bool', [2, 3], [1, 0, 1, 0, 0, 1]),
  c: hostArray('bool', [3], [1, 1, 0]),
  matrix: hostArray('float32', [2, 3, 2], [1, -2, 0.5, 3, 0.25, -1, 2, 1, -0.75, 0.1, 1.5, -3]),
  image: hostArray(
    'float32',
    [1, 4, 4, 2],
    Array.from({ length: 32 }, (_, i) => Math.sin(i * 1.7) * 2),
  ),
  filter: hostArray(
    'float32',
    [2, 2, 2, 3],
    Array.from({ length: 24 }, (_, i) => Math.cos(i * 0.9)),
  ),
  empty: hostArray('float32', [0, 3], []),
  key: hostArray('int32', [2], [3, 7]),
};
type Inputs = { readonly [K in keyof typeof inputs]: tf.Tensor };
type Result = tf.Tensor | readonly tf.Tensor[];
type Sample = (inputs: Inputs) => Result;

const four = (x: tf.Tensor) => x as tf.Tensor4D;
const square = (x: tf.Tensor) => tf.sum(tf.mul(x, x)) as tf.Scalar;

const decay = (carry: tf.Tensor, x: tf.Tensor): [tf.Tensor, tf.Tensor] => [
  tf.add(tf.mul(carry, 0.5), x),
  tf.sin(carry),
];

/** One op may be sampled several times, for several dtypes and shapes. */
const samples: Readonly<Record<OpName, Sample | readonly Sample[]>> = {
  fill: [
    () => tf.fill([2, 3], 2.5),
    () => tf.fill([2], 7, 'int32'),
    () => tf.fill([], -1.5),
    () => tf.fill([2], 1, 'bool'),
    () => tf.fill([0], 1),
  ],
  linspace: [() => tf.linspace(0, 1, 5), () => tf.linspace(3, 3, 1)],
  ones: [() => tf.ones([2, 2]), () => tf.ones([2], 'int32')],
  onesLike: [({ x }) => tf.onesLike(x), ({ i }) => tf.onesLike(i)],
  range: [() => tf.range(0, 5), () => tf.range(4, -2, -2, 'int32'), () => tf.range(0, 1, 0.25)],
  scalar: [() => tf.scalar(2.5), () => tf.scalar(3, 'int32'), () => tf.scalar(true, 'bool')],
  tensor: [() => tf.tensor([1, 2, 3, 4], [2, 2]), () => tf.tensor([1, 2], [2], 'int32')],
  zeros: [() => tf.zeros([2, 2]), () => tf.zeros([0, 3]), () => tf.zeros([2], 'bool')],
  zerosLike: [({ x }) => tf.zerosLike(x), ({ b }) => tf.zerosLike(b)],
  eye: () => tf.eye(3),
  oneHot: [
    ({ ids }) => tf.oneHot(ids, 4),
    ({ i }) => tf.oneHot(i, 3, 0.9, 0.05),
    ({ ids }) => tf.oneHot(ids, 4, 1, 0, 'float32'),
    ({ ids }) => tf.oneHot(ids, 3, 0.9, 0.05, 'float32'),
    ({ ids }) => tf.oneHot(ids, 3, 1, 0, 'bool'),
    ({ ids }) => tf.oneHot(ids, 1, 0.9, 0.05, 'float32'),
  ],

  abs: [({ x }) => tf.abs(x), ({ i }) => tf.abs(i), ({ empty }) => tf.abs(empty)],
  add: [
    ({ x, y }) => tf.add(x, y),
    ({ i, j }) => tf.add(i, j),
    ({ x }) => tf.add(x, 1),
    ({ i, x }) => tf.add(i, x),
  ],
  addN: [({ x, positive }) => tf.addN([x, positive, x]), ({ i }) => tf.addN([i, i])],
  ceil: ({ x }) => tf.ceil(x),
  clipByValue: [
    ({ x }) => tf.clipByValue(x, -0.5, 1),
    ({ special }) => tf.clipByValue(special, -2, 2),
    ({ i }) => tf.clipByValue(i, -2, 3),
  ],
  cos: ({ x }) => tf.cos(x),
  div: [
    ({ x, y }) => tf.div(x, y),
    ({ i }) => tf.div(i, tf.scalar(2)),
    ({ x }) => tf.div(1, x),
    ({ x, special }) => tf.div(tf.slice(x, [0, 0], [1, 1]), tf.slice(special, 3, 1)),
  ],
  divNoNan: ({ x, special }) => tf.divNoNan(tf.slice(x, [0, 0], [1, 1]), tf.slice(special, 3, 2)),
  erf: ({ x }) => tf.erf(x),
  exp: [({ x }) => tf.exp(x), ({ special }) => tf.exp(special)],
  expm1: ({ small }) => tf.expm1(small),
  floor: ({ x }) => tf.floor(x),
  floorDiv: [({ x, y }) => tf.floorDiv(x, y), ({ i, j }) => tf.floorDiv(i, j)],
  isFinite: ({ special }) => tf.isFinite(special),
  isNaN: ({ special }) => tf.isNaN(special),
  log: [({ positive }) => tf.log(positive), ({ special }) => tf.log(special)],
  log1p: ({ positive }) => tf.log1p(positive),
  maximum: [({ x, y }) => tf.maximum(x, y), ({ i, j }) => tf.maximum(i, j), ({ x }) => tf.maximum(x, 0)],
  minimum: [({ x, y }) => tf.minimum(x, y), ({ i, j }) => tf.minimum(i, j)],
  mod: [({ x, y }) => tf.mod(x, y), ({ i, j }) => tf.mod(i, j), ({ x }) => tf.mod(x, 1)],
  mul: [({ x, y }) => tf.mul(x, y), ({ i, j }) => tf.mul(i, j), ({ x }) => tf.mul(2, x)],
  neg: [({ x }) => tf.neg(x), ({ i }) => tf.neg(i)],
  pow: [
    ({ positive, x }) => tf.pow(positive, x),
    ({ i }) => tf.pow(i, tf.scalar(2, 'int32')),
    ({ x }) => tf.pow(x, 2),
    ({ x }) => tf.pow(x, 3),
  ],
  reciprocal: ({ positive }) => tf.reciprocal(positive),
  relu: [({ x }) => tf.relu(x), ({ i }) => tf.relu(i), ({ special }) => tf.relu(special)],
  // Half to even.
  round: ({ x }) => [tf.round(x), tf.round(tf.tensor([0.5, 1.5, 2.5, -0.5, -1.5]))],
  rsqrt: [({ positive }) => tf.rsqrt(positive), ({ special }) => tf.rsqrt(tf.slice(special, 3, 2))],
  sigmoid: [({ x }) => tf.sigmoid(tf.mul(x, 20)), ({ special }) => tf.sigmoid(special)],
  sign: [({ x }) => tf.sign(x), ({ i }) => tf.sign(tf.cast(i, 'float32'))],
  sin: ({ x }) => tf.sin(x),
  softplus: ({ x }) => tf.softplus(tf.mul(x, 50)),
  sqrt: [({ positive }) => tf.sqrt(positive), ({ x }) => tf.sqrt(x)],
  square: [({ x }) => tf.square(x), ({ i }) => tf.square(i)],
  squaredDifference: ({ x, y }) => tf.squaredDifference(x, y),
  sub: [({ x, y }) => tf.sub(x, y), ({ i, j }) => tf.sub(i, j), ({ x }) => tf.sub(1, x)],
  tan: ({ small }) => tf.tan(small),
  tanh: [({ x }) => tf.tanh(x), ({ special }) => tf.tanh(special)],

  equal: [
    ({ ties }) => tf.equal(ties, 3),
    ({ i, j }) => tf.equal(i, j),
    ({ b, c }) => tf.equal(b, c),
    ({ special }) => tf.equal(special, special),
  ],
  greater: [({ x, y }) => tf.greater(x, y), ({ i, j }) => tf.greater(i, j)],
  greaterEqual: [({ ties }) => tf.greaterEqual(ties, 0), ({ i, j }) => tf.greaterEqual(i, j)],
  less: [({ x, y }) => tf.less(x, y), ({ i, j }) => tf.less(i, j)],
  lessEqual: [({ ties }) => tf.lessEqual(ties, 0), ({ i, j }) => tf.lessEqual(i, j)],
  logicalAnd: ({ b, c }) => tf.logicalAnd(b, c),
  logicalNot: ({ b }) => tf.logicalNot(b),
  logicalOr: ({ b, c }) => tf.logicalOr(b, c),
  notEqual: [
    ({ ties }) => tf.notEqual(ties, 3),
    ({ i, j }) => tf.notEqual(i, j),
    ({ special, b, c }) => [tf.notEqual(special, special), tf.notEqual(b, c)],
  ],
  where: [
    ({ b, x, positive }) => tf.where(b, x, positive),
    ({ b, i }) => tf.where(b, i, tf.zerosLike(i)),
    ({ c, x, y }) => tf.where(c, x, y),
    ({ x, special }) => tf.where(tf.greater(tf.slice(x, [0, 0], [1, 1]), 0), tf.slice(special, 0, 1), 0),
    ({ b }) => tf.where(b, b, tf.zerosLike(b)),
    ({ b, x }) => tf.where(b, x, 0),
    ({ b, c }) => tf.where(c, tf.cast(b, 'int32'), tf.scalar(7, 'int32')),
  ],

  all: [
    ({ b }) => [tf.all(b), tf.all(b, 0), tf.all(b, 1, true)],
    ({ b }) => tf.all(tf.reshape(b, [1, 2, 3]), [0, 2]),
  ],
  any: [
    ({ b }) => [tf.any(b), tf.any(b, 0), tf.any(b, 1, true)],
    ({ b }) => tf.any(tf.reshape(b, [1, 2, 3]), [0, 2]),
  ],
  argMax: [
    ({ x, ties }) => [tf.argMax(x), tf.argMax(ties, 1)],
    ({ i, matrix }) => [tf.argMax(i, 1), tf.argMax(matrix, -1), tf.argMax(matrix, 1)],
  ],
  argMin: [
    ({ x, ties }) => [tf.argMin(x), tf.argMin(ties, 1)],
    ({ i, matrix }) => [tf.argMin(i, 1), tf.argMin(matrix, 1)],
  ],
  cumsum: [
    ({ x }) => tf.cumsum(x, 1),
    ({ x }) => tf.cumsum(x, 0, true, true),
    ({ i }) => tf.cumsum(i, 1),
    ({ matrix }) => tf.cumsum(matrix, 1, true),
    ({ matrix }) => tf.cumsum(matrix, 0, false, true),
  ],
  logSoftmax: [
    ({ x }) => tf.logSoftmax(x),
    ({ x }) => tf.logSoftmax(tf.mul(x, 100)),
    ({ matrix }) => tf.logSoftmax(matrix, 1),
  ],
  logSumExp: [({ x }) => tf.logSumExp(x, 1), ({ x }) => tf.logSumExp(tf.mul(x, 100), 0, true)],
  max: [
    ({ x }) => tf.max(x),
    ({ x }) => tf.max(x, 0),
    ({ i }) => tf.max(i, 1, true),
    ({ matrix }) => tf.max(matrix, [0, 1]),
    ({ matrix }) => tf.max(matrix, [0, 2], true),
  ],
  mean: [
    ({ x }) => tf.mean(x),
    ({ matrix }) => tf.mean(matrix, [0, 2]),
    ({ i }) => tf.mean(i, 1),
    ({ b }) => tf.mean(b),
    ({ matrix }) => tf.mean(matrix, [1], true),
    ({ matrix }) => tf.mean(matrix, [0, 1, 2]),
  ],
  min: [
    ({ x }) => tf.min(x),
    ({ x }) => tf.min(x, 0),
    ({ i }) => tf.min(i, 1, true),
    ({ matrix }) => tf.min(matrix, [0, 1]),
    ({ matrix }) => tf.min(matrix, [0, 2], true),
  ],
  moments: ({ matrix }) => {
    const { mean, variance } = tf.moments(matrix, [0, 1], true);
    return [mean, variance];
  },
  prod: [
    ({ x }) => tf.prod(x, 1),
    ({ i }) => tf.prod(i),
    ({ matrix }) => tf.prod(matrix, [0, 2]),
    ({ empty }) => tf.prod(empty),
  ],
  softmax: [
    ({ x }) => tf.softmax(x),
    ({ x }) => tf.softmax(tf.mul(x, 100)),
    ({ matrix }) => tf.softmax(matrix),
    ({ special }) => tf.softmax(tf.slice(special, 2, 3)),
  ],
  sum: [
    ({ x }) => tf.sum(x),
    ({ matrix }) => tf.sum(matrix, [0, 2], true),
    ({ i }) => tf.sum(i, 0),
    ({ b }) => tf.sum(b, 1),
    ({ empty }) => tf.sum(empty),
    ({ empty }) => tf.sum(empty, 0),
    ({ x }) => tf.sum(tf.reshape(x, [1, 2, 1, 3]), [0, 3]),
    ({ i }) => tf.sum(i, [0, 1], true),
    ({ x }) => tf.sum(tf.slice(x, 0, 1), 0),
  ],
  topk: [
    ({ x, ties }) => {
      const [a, b] = [tf.topk(x, 2), tf.topk(ties, 3)];
      return [a.values, a.indices, b.values];
    },
    ({ i }) => {
      const { values, indices } = tf.topk(i, 2);
      return [values, indices];
    },
  ],

  avgPool: [
    ({ image }) => tf.avgPool(four(image), 2, 2, 'same'),
    ({ image }) => tf.avgPool(four(image), [3, 2], [1, 2], 'valid'),
  ],
  conv2d: [
    ({ image, filter }) => [
      tf.conv2d(four(image), four(filter), 2, 'valid'),
      tf.conv2d(four(image), four(filter), 1, 'same'),
    ],
    ({ image, filter }) => tf.conv2d(four(image), four(filter), [2, 1], 'same'),
    ({ image, filter }) => tf.conv2d(four(image), four(filter), 1, 'valid', 'NHWC', 2),
    ({ image, filter }) =>
      tf.conv2d(four(image), four(tf.slice(filter, [0, 0, 0, 0], [1, 1, -1, -1])), 1, 'same'),
  ],
  depthwiseConv2d: [
    ({ image, filter }) => tf.depthwiseConv2d(four(image), four(filter), 1, 'same'),
    ({ image, filter }) => tf.depthwiseConv2d(four(image), four(filter), 2, 'valid'),
  ],
  matMul: [
    ({ x, y, matrix }) => [
      tf.matMul(x, tf.reshape(y, [3, 1])),
      tf.matMul(x, x, false, true),
      tf.matMul(matrix, matrix, true, false),
      tf.matMul(matrix, tf.slice(matrix, [0, 0, 0], [1, -1, -1]), false, true),
    ],
    ({ matrix, x }) => tf.matMul(tf.reshape(x, [1, 2, 3]), matrix),
    ({ empty, x }) => [tf.matMul(empty, tf.transpose(x)), tf.matMul(tf.transpose(empty), empty)],
  ],
  maxPool: [
    ({ image }) => tf.maxPool(four(image), 2, 1, 'valid'),
    ({ image }) => tf.maxPool(four(image), 3, 2, 'same'),
  ],
  // Of data that was a column of matMul before.
  outerProduct: ({ y }) => tf.outerProduct(y as tf.Tensor1D, y as tf.Tensor1D),

  batchToSpaceND: ({ image }) =>
    tf.batchToSpaceND(
      tf.reshape(image, [4, 2, 2, 2]),
      [2, 2],
      [
        [0, 0],
        [0, 1],
      ],
    ),
  broadcastTo: [
    ({ y }) => tf.broadcastTo(y, [2, 2, 3]),
    ({ j }) => tf.broadcastTo(j, [2, 3]),
    ({ c }) => tf.broadcastTo(c, [2, 3]),
    ({ y }) => tf.broadcastTo(tf.reshape(y, [3, 1]), [2, 3, 2]),
  ],
  cast: [
    ({ x }) => tf.cast(x, 'int32'),
    ({ i }) => tf.cast(i, 'float32'),
    ({ b }) => tf.cast(b, 'float32'),
    ({ b }) => tf.cast(b, 'int32'),
    ({ x }) => tf.cast(x, 'bool'),
    () => tf.cast(tf.tensor([0, 0.3, -2, 256]), 'bool'),
    () => tf.cast(tf.tensor([0, 256, -2], [3], 'int32'), 'bool'),
    ({ i }) => tf.cast(i, 'bool'),
  ],
  clone: [({ x }) => tf.clone(x), ({ b }) => tf.clone(b)],
  concat: [
    ({ x, positive }) => tf.concat([x, positive]),
    ({ x, positive }) => tf.concat([x, positive], -1),
    ({ i }) => tf.concat([i, i], 1),
    ({ b }) => tf.concat([b, b]),
    ({ x, empty }) => tf.concat([empty, x, empty]),
    ({ matrix }) => tf.concat([matrix, matrix, matrix], 1),
  ],
  expandDims: ({ x }) => tf.expandDims(x, 1),
  gather: [
    ({ matrix, ids }) => tf.gather(matrix, ids, 1),
    ({ i, ids }) => tf.gather(i, ids, 1),
    ({ matrix, ids }) => tf.gather(matrix, tf.reshape(ids, [2, 2]), 1),
    ({ b, ids }) => tf.gather(b, ids, 1),
    ({ x }) => tf.gather(x, tf.scalar(1, 'int32'), 1),
  ],
  gatherND: [
    ({ x }) =>
      tf.gatherND(
        x,
        tf.tensor(
          [
            [0, 2],
            [1, 0],
          ],
          [2, 2],
          'int32',
        ),
      ),
    ({ i }) => tf.gatherND(i, tf.tensor([[1], [0], [1]], [3, 1], 'int32')),
  ],
  mirrorPad: ({ x }) => [
    tf.mirrorPad(
      x,
      [
        [1, 0],
        [1, 2],
      ],
      'reflect',
    ),
    tf.mirrorPad(
      x,
      [
        [1, 0],
        [1, 2],
      ],
      'symmetric',
    ),
  ],
  pad: [
    ({ x }) =>
      tf.pad(x, [
        [1, 0],
        [0, 2],
      ]),
    ({ x }) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        -1.5,
      ),
    ({ i }) =>
      tf.pad(
        i,
        [
          [0, 1],
          [1, 0],
        ],
        3,
      ),
    ({ b }) =>
      tf.pad(b, [
        [0, 1],
        [1, 0],
      ]),
    ({ image }) =>
      tf.pad(image, [
        [0, 0],
        [1, 2],
        [0, 1],
        [0, 0],
      ]),
  ],
  reshape: [({ x }) => tf.reshape(x, [3, -1]), ({ b }) => tf.reshape(b, [6])],
  reverse: [
    ({ x }) => tf.reverse(x),
    ({ matrix }) => tf.reverse(matrix, [1]),
    ({ i }) => tf.reverse(i, 1),
    ({ b }) => tf.reverse(b, 1),
    ({ image }) => tf.reverse(image, [1, 2]),
  ],
  scatterND: [
    ({ y }) => tf.scatterND(tf.tensor([[4], [1], [4]], [3, 1], 'int32'), y, [6]),
    ({ j }) => tf.scatterND(tf.tensor([[4], [1], [4]], [3, 1], 'int32'), j, [6]),
  ],
  slice: [
    ({ x }) => tf.slice(x, [0, 1], [2, -1]),
    ({ i }) => tf.slice(i, [1], [1]),
    ({ b }) => tf.slice(b, 1),
    ({ image }) => tf.slice(image, [0, 1, 2, 0], [1, 2, -1, 1]),
    ({ matrix }) => tf.slice(matrix, [1, 0, 1], [1, 3, 1]),
    ({ x }) => tf.slice(x, [0, 1], [2, 0]),
  ],
  spaceToBatchND: ({ image }) =>
    tf.spaceToBatchND(
      four(image),
      [2, 2],
      [
        [0, 0],
        [1, 1],
      ],
    ),
  split: [
    ({ x }) => tf.split(x, 3, 1),
    ({ x }) => tf.split(x, [1, 2], 1),
    ({ i }) => tf.split(i, 2),
    ({ matrix }) => tf.split(matrix, [1, 2], 1),
  ],
  squeeze: ({ image }) => tf.squeeze(image, [0]),
  stack: [
    ({ x, positive }) => tf.stack([x, positive], 1),
    ({ b }) => tf.stack([b, b]),
    ({ i }) => tf.stack([i, i, i], 2),
    ({ y }) => tf.stack([y]),
  ],
  stridedSlice: [
    ({ x }) => tf.stridedSlice(x, [0, 2], [2, 0], [1, -1]),
    ({ matrix }) => tf.stridedSlice(matrix, [0, 0, 1], [2, 3, 2], [1, 2, 1]),
  ],
  tensorScatterUpdate: ({ x }) =>
    tf.tensorScatterUpdate(
      x,
      tf.tensor(
        [
          [0, 2],
          [1, 0],
        ],
        [2, 2],
        'int32',
      ),
      tf.tensor([5, 6]),
    ),
  tile: [
    ({ x }) => tf.tile(x, [2, 2]),
    ({ i }) => tf.tile(i, [1, 3]),
    ({ b }) => tf.tile(b, [2, 1]),
    ({ matrix }) => tf.tile(matrix, [1, 2, 2]),
  ],
  transpose: [
    ({ x }) => tf.transpose(x),
    ({ matrix }) => tf.transpose(matrix, [2, 0, 1]),
    ({ i }) => tf.transpose(i),
    ({ b }) => tf.transpose(b),
    ({ image }) => tf.transpose(tf.reshape(image, [2, 2, 2, 2, 2]), [4, 1, 3, 0, 2]),
    ({ image }) => tf.transpose(tf.reshape(image, [2, 1, 2, 2, 2, 2]), [4, 1, 3, 0, 2, 5]),
  ],
  unsortedSegmentSum: [
    ({ ids, matrix }) => tf.unsortedSegmentSum(tf.reshape(matrix, [4, 3]), ids as tf.Tensor1D, 4),
    ({ ids, matrix }) =>
      tf.unsortedSegmentSum(tf.cast(tf.reshape(matrix, [4, 3]), 'int32'), ids as tf.Tensor1D, 3),
  ],
  unstack: [
    ({ x }) => tf.unstack(x),
    ({ i }) => tf.unstack(i, 1),
    ({ matrix }) => tf.unstack(matrix, 2),
    ({ b }) => tf.unstack(b),
  ],

  customGrad: ({ x }) => {
    const f = tf.customGrad((...args) => {
      const [at] = args as [tf.Tensor];
      return { value: tf.square(at), gradFunc: (dy) => [tf.mul(dy as tf.Tensor, 5)] };
    });
    return tf.grad((at) => f(at))(x);
  },
  dispose: ({ x }) => {
    const copy = tf.clone(x);
    tf.dispose(copy);
    return tf.tensor([copy.isDisposed ? 1 : 0]);
  },
  grad: ({ x }) => tf.grad(square)(x),
  keep: ({ x }) => {
    const kept = tf.tidy(() => {
      const made = tf.keep(tf.mul(x, 2));
      return [made, tf.add(made, 1)] as [tf.Tensor, tf.Tensor];
    });
    return kept;
  },
  tidy: ({ x }) => tf.tidy(() => tf.add(tf.mul(x, 2), 1)),
  valueAndGrad: ({ x }) => {
    const { value, grad } = tf.valueAndGrad(square)(x);
    return [value, grad];
  },
  valueAndGrads: ({ x, y }) => {
    const { value, grads } = tf.valueAndGrads((a: tf.Tensor, b: tf.Tensor) => square(tf.mul(a, b)))([x, y]);
    return [value, ...grads];
  },

  castStorage: ({ x }) => tf.castStorage(x, 'float32'),
  dropout: ({ x, key }) => tf.dropout(x, 0.4, key),
  einsum: [
    ({ x, matrix }) => [tf.einsum('ij,bjk->bki', x, matrix), tf.einsum('bjk->kb', matrix)],
    ({ matrix }) => tf.einsum('bij,bkj->bik', matrix, matrix),
  ],
  erfInv: ({ small }) => tf.erfInv(small),
  gelu: ({ x }) => [tf.gelu(x), tf.gelu(x, false)],
  logSigmoid: ({ x }) => tf.logSigmoid(tf.mul(x, 50)),
  optimizationBarrier: ({ x, i }) => tf.optimizationBarrier([x, i]),
  shardingConstraint: ({ x }) => tf.shardingConstraint(x, [null, null]),
  stopGradient: ({ x }) => [tf.stopGradient(x), tf.grad((at) => square(tf.mul(tf.stopGradient(at), at)))(x)],

  scan: [
    ({ matrix, y }) => tf.scan(decay, tf.slice(matrix, [0, 0, 0], [1, -1, -1]), tf.reshape(y, [3, 1, 1])),
    ({ y, i }) => tf.scan((sum, at) => [tf.add(sum, y), tf.mul(at, 2)], y, i, { reverse: true }),
    () => tf.scan((n) => [tf.add(n, 1), n], tf.scalar(1), [], { length: 4 }) as tf.Tensor[],
    ({ x }) => tf.grad((at) => square(tf.scan(decay, at, at)[1]))(x),
  ],
  whileLoop: ({ x, i }) => [
    tf.whileLoop(
      (at) => tf.less(tf.max(at), 100),
      (at) => tf.mul(at, 2),
      x,
    ),
    tf.whileLoop((at) => tf.any(tf.greater(at, 100)), tf.square, i),
  ],
  cond: ({ x, y }) =>
    [0, 3].flatMap((limit) => {
      const condition = tf.greater(tf.sum(x), limit);
      const choose = (at: tf.Tensor) =>
        tf.cond(
          condition,
          () => tf.mul(at, y),
          () => tf.square(at),
        );
      return [choose(x), tf.grad((at) => square(choose(at)))(x)];
    }),
  remat: ({ x }) => {
    const fn = tf.remat((at: tf.Tensor) => tf.exp(tf.sin(at)));
    return [fn(x), tf.grad((at) => square(fn(at)))(x)];
  },
  associativeScan: [
    ({ matrix }) => tf.associativeScan<tf.Tensor>(tf.mul, matrix, { axis: 1 }),
    ({ i }) => tf.associativeScan<tf.Tensor>(tf.add, i, { axis: -1, reverse: true }),
    ({ x }) => tf.grad((at) => square(tf.associativeScan<tf.Tensor>(tf.mul, at, { axis: 1 })))(x),
  ],
};

const names = Object.keys(samples) as OpName[];
const samplesOf = (name: OpName) => [samples[name]].flat() as Sample[];

interface Outcome {
  readonly results: ReadonlyMap<string, HostArray>;
  readonly failures: ReadonlyMap<string, unknown>;
}

const container = Container.create();
const registry = new Registry();
for (const plugin of [tfjs, xla] as readonly Plugin[])
  plugin.register?.(registrarFor(plugin, registry, container));

/** An op that writes into its inputs makes the wrong numbers elsewhere. */
function expectUnchanged(given: Inputs): void {
  for (const name of Object.keys(inputs) as (keyof Inputs)[]) {
    expect([name, ...given[name].dataSync()]).toEqual([name, ...inputs[name].data]);
  }
}

/** All samples in one program; those that fail are noted. */
async function run(name: string): Promise<Outcome> {
  const options = name === 'xla' ? { platform: 'cpu' } : {};
  const runtime: Runtime = await registry.create(container, 'runtime', name, options, 'runtime')({});
  try {
    const failures = new Map<string, unknown>();
    const all = runtime.jit(
      (given: Inputs) => {
        const results: Record<string, tf.Tensor> = {};
        for (const op of names) {
          samplesOf(op).forEach((sample, i) => {
            try {
              ([sample(given)].flat() as tf.Tensor[]).forEach((x, j) => (results[`${op}.${i}.${j}`] = x));
              if (!runtime.compiles) expectUnchanged(given);
            } catch (error) {
              failures.set(op, error);
            }
          });
        }
        return results;
      },
      { name: 'all ops' },
    );
    const sent = Object.fromEntries(
      Object.entries(inputs).map(([key, array]) => [key, runtime.toDevice(array)]),
    ) as Inputs;
    return { results: await fetchAll(runtime, all(sent)), failures };
  } finally {
    await runtime.dispose();
  }
}

test('there is nothing else', () => {
  const { Tensor, random, rematPolicies, ...ops } = tf;
  expect(typeof Tensor).toBe('function');
  expect(typeof random).toBe('object');
  expect(rematPolicies).toContain('nothing_saveable');
  expect(Object.keys(ops).sort()).toEqual([...names].sort());
  for (const [name, op] of Object.entries(ops)) expect([name, typeof op]).toEqual([name, 'function']);
});

const outcomes = new Map<string, Outcome>();
beforeAll(async () => {
  for (const name of ['cpu', 'wasm', 'xla']) outcomes.set(name, await run(name));
});

describe.each(['cpu', 'wasm', 'xla'])('%s', (runtime) => {
  test.each(names)('%s', (op) => {
    const { results, failures } = outcomes.get(runtime) as Outcome;
    if (failures.has(op)) throw failures.get(op);
    const wanted = [...(outcomes.get('cpu') as Outcome).results].filter(([name]) =>
      name.startsWith(`${op}.`),
    );
    expect(wanted.length).toBeGreaterThan(0);
    for (const [name, want] of wanted) {
      const got = results.get(name);
      expect([name, got?.dtype]).toEqual([name, want.dtype]);
      const { excess, text } = compareEntry(name, got, want, { atol: 1e-6, rtol: 1e-5 });
      if (!(excess <= 1)) throw new Error(text);
    }
  });
});
