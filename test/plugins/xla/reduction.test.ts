// Reductions, scans and normalisations against tfjs's cpu backend.

import * as tf from '@tensorflow/tfjs-core';
import { type Case, compareWithCpu, given, values } from './support';

type Axis = number | number[] | undefined;
const axes: readonly (readonly [string, Axis])[] = [
  ['all axes', undefined],
  ['one axis', 1],
  ['a negative axis', -1],
  ['two axes', [0, -1]],
];

const x = values([2, 3, 4]);
const floats: Record<string, (x: tf.Tensor, axis: Axis, keepDims?: boolean) => tf.Tensor> = {
  sum: tf.sum,
  mean: tf.mean,
  max: tf.max,
  min: tf.min,
  prod: tf.prod,
  logSumExp: tf.logSumExp,
};

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
const others: Record<string, [Run, ...Case['inputs']]> = {
  'sum of int32': [(a) => tf.sum(a!, 0), values([3, 2], 9, 'int32')],
  'sum of bool': [(a) => tf.sum(a!, 0), values([5, 2], 9, 'bool')],
  'sum of rank 0': [(a) => tf.sum(a!), values([])],
  'sum of nothing': [(a) => tf.sum(a!, 0), given('float32', [0, 3])],
  'mean of int32': [(a) => tf.mean(a!), values([3, 2], 9, 'int32')],
  'max of int32': [(a) => tf.max(a!, 0), values([3, 2], 9, 'int32')],
  'prod of int32': [(a) => tf.prod(a!, 0), values([3, 2], 9, 'int32')],
  'max of NaN': [(a) => tf.max(a!), given('float32', [3], 1, NaN, 2)],
  all: [(a) => tf.all(a!, 1), given('bool', [2, 2], 1, 1, 1, 0)],
  any: [(a) => tf.any(a!, 1, true), given('bool', [2, 2], 0, 0, 1, 0)],
  argMax: [(a) => tf.argMax(a!, 1), x],
  'argMax with ties': [(a) => tf.argMax(a!, -1), given('float32', [2, 4], 1, 3, 3, 0, 2, 2, 2, 2)],
  argMin: [(a) => tf.argMin(a!, 0), x],
  'argMax of int32': [(a) => tf.argMax(a!, 0), values([5], 9, 'int32')],
  moments: [(a) => Object.values(tf.moments(a!, [0, 2])), x],
  softmax: [(a) => tf.softmax(a!), x],
  'softmax of large values': [(a) => tf.softmax(a!), values([2, 5], 300)],
  logSoftmax: [(a) => tf.logSoftmax(a!), x],
  'logSoftmax of large values': [(a) => tf.logSoftmax(a!), values([2, 5], 300)],
  cumsum: [(a) => tf.cumsum(a!, 1), values([3, 7])],
  'cumsum, exclusive': [(a) => tf.cumsum(a!, 0, true), values([7, 2])],
  'cumsum, reverse': [(a) => tf.cumsum(a!, 1, false, true), values([2, 7])],
  'cumsum, exclusive and reverse': [(a) => tf.cumsum(a!, 0, true, true), values([7])],
  'cumsum of int32': [(a) => tf.cumsum(a!, 0), values([7], 9, 'int32')],
  cumprod: [(a) => tf.cumprod(a!, 1), values([3, 5])],
  topk: [(a) => Object.values(tf.topk(a!, 3)), values([3, 7])],
  'topk of all': [(a) => Object.values(tf.topk(a!, 4)), values([4])],
  'topk of int32': [(a) => Object.values(tf.topk(a!, 2)), given('int32', [4], 3, 9, -2, 5)],
  batchNorm: [
    (a, mean, variance, offset, scale) =>
      tf.batchNorm(
        a!,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-3,
      ),
    values([2, 2, 2, 3]),
    values([3]),
    given('float32', [3], 0.5, 1, 2),
    values([3], 3),
    values([3], 1),
  ],
  'batchNorm without scale': [
    (a, mean, variance) => tf.batchNorm(a!, mean as tf.Tensor1D, variance as tf.Tensor1D),
    values([4, 3]),
    values([3]),
    given('float32', [3], 0.5, 1, 2),
  ],
};

const cases: Case[] = [
  ...Object.entries(floats).flatMap(([op, reduce]) =>
    axes.flatMap(([name, axis]) =>
      [false, true].map((keep) => ({
        name: `${op} over ${name}${keep ? ', kept' : ''}`,
        run: (a: tf.Tensor) => reduce(a, axis, keep),
        inputs: [x],
      })),
    ),
  ),
  ...Object.entries(others).map(([name, [run, ...inputs]]): Case => ({
    name,
    run,
    inputs,
    // tfjs saves it for the gradient, given or not.
    gradient: name === 'batchNorm without scale' ? 'none' : undefined,
  })),
];
compareWithCpu(cases);
