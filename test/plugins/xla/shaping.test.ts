// Kernels that move, make and look up elements, against tfjs's cpu backend.

import * as tf from '@tensorflow/tfjs-core';
import { type Case, compareWithCpu, given, values } from './support';

const x = values([2, 3, 4]);
const image = values([2, 4, 6, 4]);

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
const moved: Record<string, [Run, ...Case['inputs']]> = {
  reshape: [(a) => tf.reshape(a, [4, -1]), x],
  'reshape to rank 0': [(a) => tf.reshape(a, []), values([1, 1])],
  expandDims: [(a) => tf.expandDims(a, 1), x],
  'expandDims at the end': [(a) => tf.expandDims(a, -1), x],
  squeeze: [(a) => tf.squeeze(a), values([1, 3, 1])],
  transpose: [(a) => tf.transpose(a), x],
  'transpose with axes': [(a) => tf.transpose(a, [1, 2, 0]), x],
  'transpose of int32': [(a) => tf.transpose(a), values([2, 3], 9, 'int32')],
  broadcastTo: [(a) => tf.broadcastTo(a, [2, 3, 4]), values([3, 1])],
  'broadcastTo of a scalar': [(a) => tf.broadcastTo(a, [2, 2]), values([])],
  tile: [(a) => tf.tile(a, [2, 1, 3]), x],
  'tile of ones': [(a) => tf.tile(a, [2, 3]), values([1, 1])],
  'tile of a vector': [(a) => tf.tile(a, [3]), values([4])],
  concat: [(a, b) => tf.concat([a!, b!], 1), values([2, 3]), values([2, 2])],
  'concat, negative axis': [(a, b) => tf.concat([a!, b!], -2), values([2, 3]), values([4, 3])],
  'concat with an empty one': [(a, b) => tf.concat([a!, b!], 0), values([2, 3]), values([0, 3])],
  stack: [(a, b) => tf.stack([a!, b!], 1), values([2, 3]), values([2, 3], 5)],
  'stack at the end': [(a, b) => tf.stack([a!, b!], -1), values([2, 3]), values([2, 3], 5)],
  unstack: [(a) => tf.unstack(a!, 1), x],
  slice: [(a) => tf.slice(a!, [0, 1, 2], [2, 2, -1]), x],
  'slice of one axis': [(a) => tf.slice(a!, 1), x],
  'empty slice': [(a) => tf.slice(a!, [0, 0], [0, 2]), values([2, 3])],
  stridedSlice: [(a) => tf.stridedSlice(a!, [0, 2], [2, 0], [1, -1]), values([2, 3])],
  'stridedSlice with steps': [(a) => tf.stridedSlice(a!, [1], [9], [3]), values([10])],
  'stridedSlice backwards': [(a) => tf.stridedSlice(a!, [8], [1], [-3]), values([10])],
  'stridedSlice with masks': [
    (a) => tf.stridedSlice(a!, [0, 1, 0], [0, 2, 0], [1, 1, 1], 1, 1, 0, 4, 2),
    values([3, 3]),
  ],
  'split in equal parts': [(a) => tf.split(a!, 2, -1), x],
  'split in given sizes': [(a) => tf.split(a!, [1, 2], 1), x],
  pad: [
    (a) =>
      tf.pad(
        a!,
        [
          [1, 2],
          [0, 3],
        ],
        7,
      ),
    values([2, 3]),
  ],
  'pad of int32': [(a) => tf.pad(a!, [[1, 0]], 7), values([3], 9, 'int32')],
  'mirrorPad reflect': [
    (a) =>
      tf.mirrorPad(
        a!,
        [
          [1, 1],
          [2, 1],
        ],
        'reflect',
      ),
    values([2, 3]),
  ],
  'mirrorPad symmetric': [
    (a) =>
      tf.mirrorPad(
        a!,
        [
          [2, 1],
          [0, 3],
        ],
        'symmetric',
      ),
    values([2, 3]),
  ],
  reverse: [(a) => tf.reverse(a!, [0, -1]), x],
  'reverse of all': [(a) => tf.reverse(a!), x],
  spaceToBatchND: [
    (a) =>
      tf.spaceToBatchND(
        a!,
        [2, 2],
        [
          [0, 0],
          [2, 0],
        ],
      ),
    image,
  ],
  batchToSpaceND: [
    (a) =>
      tf.batchToSpaceND(
        a!,
        [2, 1],
        [
          [1, 0],
          [0, 2],
        ],
      ),
    image,
  ],
  depthToSpace: [(a) => tf.depthToSpace(a as tf.Tensor4D, 2), image],
  flipLeftRight: [(a) => tf.image.flipLeftRight(a as tf.Tensor4D), image],

  fill: [() => tf.fill([2, 2], 3.5)],
  'fill with int32': [() => tf.fill([2], 3, 'int32')],
  zeros: [() => tf.zeros([2, 3])],
  ones: [() => tf.ones([2, 3], 'int32')],
  'constant of many': [
    () =>
      tf.tensor(
        Array.from({ length: 60 }, (_, i) => i / 7),
        [6, 10],
      ),
  ],
  'constant of bool': [() => tf.tensor([true, false, true], [3], 'bool')],
  'constant, large': [
    () =>
      tf.tensor(
        Array.from({ length: 3000 }, (_, i) => i / 7),
        [3000],
      ),
  ],
  'constant, not finite': [() => tf.tensor([NaN, Infinity, -Infinity, -0, 1e-30, 1e30])],
  zerosLike: [(a) => tf.zerosLike(a!), x],
  onesLike: [(a) => tf.onesLike(a!), values([3], 9, 'int32')],
  eye: [() => tf.eye(3)],
  range: [() => tf.range(0, 5)],
  'range with a step': [() => tf.range(10, 3, -2, 'int32')],
  linspace: [() => tf.linspace(0, 1, 5)],
  oneHot: [(a) => tf.oneHot(a!, 3), given('int32', [2, 2], 0, 2, 5, -1)],
  'oneHot with values': [(a) => tf.oneHot(a!, 3, 0.9, 0.1, 'float32'), given('int32', [2], 0, 2)],
  diag: [(a) => tf.diag(a!), values([3])],

  gather: [(a, i) => tf.gather(a!, i!), values([4, 3]), given('int32', [3], 2, 0, 3)],
  'gather along the last axis': [(a, i) => tf.gather(a!, i!, -1), x, given('int32', [2, 2], 0, 1, 3, 3)],
  'gather with batch': [(a, i) => tf.gather(a!, i!, 1, 1), x, given('int32', [2, 2], 0, 2, 1, 1)],
  'gather of a scalar index': [(a, i) => tf.gather(a!, i!, 1), x, given('int32', [], 1)],
  gatherND: [(a, i) => tf.gatherND(a!, i!), x, given('int32', [3, 2], 0, 0, 1, 2, 0, 1)],
  'gatherND of elements': [(a, i) => tf.gatherND(a!, i!), x, given('int32', [1, 2, 3], 0, 0, 3, 1, 2, 0)],
  scatterND: [(u, i) => tf.scatterND(i!, u!, [4, 2]), values([3, 2]), given('int32', [3, 1], 1, 3, 1)],
  'scatterND of elements': [
    (u, i) => tf.scatterND(i!, u!, [2, 3]),
    values([2]),
    given('int32', [2, 2], 0, 1, 1, 2),
  ],
  tensorScatterUpdate: [
    (a, u, i) => tf.tensorScatterUpdate(a!, i!, u!),
    values([4, 2]),
    values([2, 2], 9),
    given('int32', [2, 1], 3, 0),
  ],
  unsortedSegmentSum: [
    (a, i) => tf.unsortedSegmentSum(a!, i as tf.Tensor1D, 4),
    values([5, 2]),
    given('int32', [5], 0, 2, 2, 3, 0),
  ],
  sparseToDense: [(i, v) => tf.sparseToDense(i!, v!, [5], 9), given('int32', [2], 1, 3), values([2])],
  bincount: [(a) => tf.bincount(a as tf.Tensor1D, tf.tensor1d([]), 4), given('int32', [5], 0, 2, 2, 3, 0)],
  denseBincount: [
    (a) => tf.denseBincount(a as tf.Tensor2D, tf.tensor2d([], [0, 0]), 4, true),
    given('int32', [2, 3], 0, 2, 2, 3, 0, 9),
  ],
  searchSorted: [
    (s, v) => tf.searchSorted(s!, v!),
    given('float32', [5], 0, 1, 1, 3, 4),
    given('float32', [3], 1, 2, 9),
  ],
  upperBound: [
    (s, v) => tf.upperBound(s!, v!),
    given('int32', [1, 5], 0, 1, 1, 3, 4),
    given('int32', [1, 3], 1, 2, 9),
  ],
};

const cases: Case[] = Object.entries(moved).map(([name, [run, ...inputs]]) => ({ name, run, inputs }));
compareWithCpu(cases);
