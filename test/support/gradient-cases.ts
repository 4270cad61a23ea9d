// Functions with kernels of tfjs in them, and inputs at which their gradients are compared.

import * as tfjs from '@tensorflow/tfjs-core';
import * as tf from '../../core/tensor';

type Fn = (...x: tf.Tensor[]) => tf.Tensor;
/** Made when asked for: on the backend of that moment. */
export type GradientCase = () => [Fn, ...tf.Tensor[]];

/** Numbers that look random, away from 0 and from each other, the same every time. */
export function numbers(shape: readonly number[], seed: number, low = -1.5, high = 1.5): tf.Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const values = Array.from({ length: size }, (_, i) => {
    const unit = (((i + 1) * 0.754877 + seed * 0.569841) % 1) * 0.98 + 0.01;
    return low + (high - low) * unit;
  });
  return tf.tensor(values, shape as number[]);
}

const x = () => numbers([2, 3], 1);
const positive = (shape: readonly number[] = [2, 3]) => numbers(shape, 2, 0.4, 2);
const ids = () => tf.tensor([2, 0, 2, 1], [4], 'int32');

const places = () => tf.tensor([2, 0, 0, 1, 2, 0], [3, 2], 'int32');

export const gradientCases: Record<string, GradientCase> = {
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
  gatherND: () => [(a) => tf.gatherND(a as tf.Tensor, places()), numbers([3, 2, 2], 3)],
  scatterND: () => [(a) => tf.scatterND(places(), a as tf.Tensor, [3, 2, 2]), numbers([3, 2], 3)],
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

  acos: () => [tfjs.acos, numbers([4], 1, -0.8, 0.8)],
  acosh: () => [tfjs.acosh, numbers([4], 1, 1.5, 3)],
  asin: () => [tfjs.asin, numbers([4], 1, -0.8, 0.8)],
  asinh: () => [tfjs.asinh, x()],
  atan: () => [tfjs.atan, x()],
  atan2: () => [tfjs.atan2, x(), positive([3])],
  atanh: () => [tfjs.atanh, numbers([4], 1, -0.8, 0.8)],
  cosh: () => [tfjs.cosh, x()],
  sinh: () => [tfjs.sinh, x()],
  elu: () => [tfjs.elu, x()],
  selu: () => [tfjs.selu, x()],
  leakyRelu: () => [(a) => tfjs.leakyRelu(a as tf.Tensor, 0.3), x()],
  relu6: () => [(a) => tfjs.relu6(tf.mul(5, a as tf.Tensor)), x()],
  prelu: () => [tfjs.prelu, x(), numbers([3], 4)],
  prod: () => [(a) => tfjs.prod(a as tf.Tensor, [0, -1]), numbers([2, 3, 2], 3)],
  prodOfAll: () => [(a) => tfjs.prod(a as tf.Tensor), x()],
  prodWithZeros: () => [
    (a) => tfjs.prod(a as tf.Tensor, 1),
    tf.tensor([
      [1, 0, 2],
      [0, 0, 3],
    ]),
  ],
  stridedSlice: () => [(a) => tfjs.stridedSlice(a as tf.Tensor, [1, 3], [3, 0], [1, -2]), numbers([3, 4], 3)],
  stridedSliceOfOne: () => [
    (a) => tfjs.stridedSlice(a as tf.Tensor, [0, 1], [0, 2], [1, 1], 1, 1, 0, 0, 2),
    numbers([2, 3], 3),
  ],
  mirrorPadReflect: () => [
    (a) =>
      tfjs.mirrorPad(
        a as tf.Tensor,
        [
          [1, 2],
          [2, 0],
        ],
        'reflect',
      ),
    numbers([3, 3], 3),
  ],
  mirrorPadSymmetric: () => [
    (a) =>
      tfjs.mirrorPad(
        a as tf.Tensor,
        [
          [2, 1],
          [0, 3],
        ],
        'symmetric',
      ),
    numbers([2, 3], 3),
  ],
  topk: () => [(a) => tfjs.topk(a as tf.Tensor, 2).values, numbers([2, 5], 3)],
  resizeBilinear: () => [
    (a) => tfjs.image.resizeBilinear(a as tf.Tensor4D, [5, 2]),
    numbers([1, 3, 4, 2], 3),
  ],
  resizeBilinearAligned: () => [
    (a) => tfjs.image.resizeBilinear(a as tf.Tensor4D, [2, 6], true),
    numbers([2, 3, 4, 1], 3),
  ],
  resizeBilinearHalf: () => [
    (a) => tfjs.image.resizeBilinear(a as tf.Tensor4D, [5, 3], false, true),
    numbers([1, 3, 4, 1], 3),
  ],
  resizeNearest: () => [
    (a) => tfjs.image.resizeNearestNeighbor(a as tf.Tensor4D, [5, 3], false, true),
    numbers([1, 3, 4, 2], 3),
  ],
  batchNorm: () => [
    (a, mean, variance, scale) =>
      tfjs.batchNorm(
        a as tf.Tensor4D,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        tfjs.tensor1d([1, 2, 3]),
        scale as tf.Tensor1D,
      ),
    numbers([1, 2, 2, 3], 3),
    numbers([3], 4),
    positive([3]),
    numbers([3], 5),
  ],
};

/** Kernels that wasm lacks or, as gather in several batches, has wrong. */
export const cpuGradientCases: Record<string, GradientCase> = {
  gatherInBatches: () => [
    (a) =>
      tfjs.gather(
        a as tf.Tensor,
        tf.tensor(
          [
            [2, 0, 2],
            [1, 1, 0],
          ],
          [2, 3],
          'int32',
        ),
        2,
        1,
      ),
    numbers([2, 2, 3, 2], 3),
  ],
  // A sum is a tensor of its own: cpu's kernel writes into its argument.
  tensorScatterUpdate: () => [
    (a, b) =>
      tf.tensorScatterUpdate(tf.add(a as tf.Tensor, 0), tf.tensor([2, 0], [2, 1], 'int32'), b as tf.Tensor),
    numbers([3, 2], 3),
    numbers([2, 2], 4),
  ],
  avgPool3d: () => [(a) => tfjs.avgPool3d(a as tfjs.Tensor5D, 2, 1, 'valid'), numbers([1, 3, 3, 2, 1], 3)],
  maxPool3d: () => [
    (a) => tfjs.maxPool3d(a as tfjs.Tensor5D, 2, 1, 'valid'),
    numbers([1, 3, 2, 3, 1], 3, -9, 9),
  ],
  conv3d: () => [
    (a, b) => tfjs.conv3d(a as tfjs.Tensor5D, b as tfjs.Tensor5D, 2, 'same'),
    numbers([1, 3, 3, 2, 2], 3),
    numbers([2, 2, 2, 2, 1], 4),
  ],
  dilation2d: () => [
    (a, b) => tfjs.dilation2d(a as tf.Tensor4D, b as tf.Tensor3D, 1, 'valid'),
    numbers([1, 3, 3, 1], 3, -9, 9),
    numbers([2, 2, 1], 4, -5, 5),
  ],
  localResponseNormalization: () => [
    (a) => tfjs.localResponseNormalization(a as tf.Tensor4D, 1, 1, 0.5, 0.7),
    numbers([1, 2, 1, 4], 3),
  ],
};
