// Every elementwise kernel, reduction and kernel that moves elements, crossed with dtypes, broadcasts, empty and rank-0
// tensors and negative axes, against tfjs's cpu backend. Values and attributes that need a thought of their own are in the
// tests beside this one.

import * as tf from '@tensorflow/tfjs-core';
import type { HostArray } from '../../../core/array';
import { broadcastTo } from '../../../core/tensor';
import { offKinks } from './gradient-support';
import { type Case, compareWithCpu, given, positive, values } from './support';

type Op = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

const shapes: readonly (readonly number[])[] = [[], [0], [2, 0, 3], [1], [2, 3, 1]];
const dtypes = ['float32', 'int32', 'bool'] as const;
const describe = ({ dtype, shape }: HostArray) => `${dtype}[${shape.join()}]`;

const cases: Case[] = [];
function add(name: string, run: Op, inputs: readonly HostArray[], more: Partial<Case> = {}): void {
  cases.push({
    name: `${name} of ${inputs.map(describe).join(' and ')}`,
    run,
    inputs,
    tolerance: 4e-6,
    ...more,
  });
}

// ---- one operand
const ofAnything = {
  abs: tf.abs,
  neg: tf.neg,
  sign: tf.sign,
  square: tf.square,
  relu: tf.relu,
  relu6: tf.relu6,
};
const ofFloats = {
  ...{ asinh: tf.asinh, atan: tf.atan, ceil: tf.ceil, cos: tf.cos, cosh: tf.cosh, elu: tf.elu, erf: tf.erf },
  ...{ exp: tf.exp, expm1: tf.expm1, floor: tf.floor, round: tf.round, selu: tf.selu, sigmoid: tf.sigmoid },
  ...{ sin: tf.sin, sinh: tf.sinh, softplus: tf.softplus, tan: tf.tan, tanh: tf.tanh, step: tf.step },
  ...{
    isNaN: tf.isNaN,
    isInf: tf.isInf,
    isFinite: tf.isFinite,
    leakyRelu: tf.leakyRelu,
    logSigmoid: tf.logSigmoid,
  },
};
const ofPositive = {
  log: tf.log,
  log1p: tf.log1p,
  rsqrt: tf.rsqrt,
  sqrt: tf.sqrt,
  reciprocal: tf.reciprocal,
};
const ofUnits = { acos: tf.acos, asin: tf.asin, atanh: tf.atanh };
for (const shape of shapes) {
  for (const [name, op] of Object.entries(ofAnything)) {
    for (const dtype of ['float32', 'int32'] as const) add(name, op as Op, [values(shape, 9, dtype)]);
  }
  for (const [name, op] of Object.entries(ofFloats)) add(name, op as Op, [values(shape, 1.4)]);
  for (const [name, op] of Object.entries(ofPositive)) add(name, op as Op, [positive(shape)]);
  for (const [name, op] of Object.entries(ofUnits)) add(name, op as Op, [values(shape, 0.9)]);
  add('acosh', (x) => tf.acosh(tf.add(x!, 1)), [positive(shape)]);
  add('logicalNot', tf.logicalNot as Op, [values(shape, 1, 'bool')]);
  for (const from of dtypes) {
    for (const to of dtypes) add(`cast to ${to}`, (x) => tf.cast(x!, to), [values(shape, 5, from)]);
  }
}

// ---- two operands
const pairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[3], []],
  [[], [2, 3]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[2, 0], []],
];
const arithmetic = { add: tf.add, sub: tf.sub, mul: tf.mul, div: tf.div, floorDiv: tf.floorDiv, mod: tf.mod };
const extremes = { maximum: tf.maximum, minimum: tf.minimum, squaredDifference: tf.squaredDifference };
const comparisons = {
  ...{ equal: tf.equal, notEqual: tf.notEqual, less: tf.less },
  ...{ lessEqual: tf.lessEqual, greater: tf.greater, greaterEqual: tf.greaterEqual },
};
const logical = { logicalAnd: tf.logicalAnd, logicalOr: tf.logicalOr, logicalXor: tf.logicalXor };
/** Without zeros, so that all can divide by it. */
const divisor = (shape: readonly number[], dtype: 'float32' | 'int32') => {
  const { data } = values(shape, 4, dtype);
  return given(dtype, shape, ...Array.from(data, (x) => (x >= 0 ? x + 1 : x - 1)));
};
for (const [a, b] of pairs) {
  for (const [name, op] of Object.entries({ ...arithmetic, ...extremes })) {
    for (const dtype of ['float32', 'int32'] as const) {
      // The slope of mod jumps where a quotient is an integer.
      const at = name === 'mod' ? offKinks([values(a, 0.9), divisor(b, 'float32')]) : undefined;
      add(name, op as Op, [values(a, 9, dtype), divisor(b, dtype)], dtype === 'float32' ? { at } : {});
    }
  }
  for (const [name, op] of Object.entries(comparisons)) {
    for (const dtype of dtypes) add(name, op as Op, [values(a, 1, dtype), values(b, 1, dtype)]);
  }
  for (const [name, op] of Object.entries(logical)) {
    add(name, op as Op, [values(a, 1, 'bool'), values(b, 1, 'bool')]);
  }
  add('atan2', tf.atan2 as Op, [values(a), positive(b)]);
  add('pow', tf.pow as Op, [positive(a), values(b)]);
  add('prelu', tf.prelu as Op, [values(a), values(b)]);
  for (const dtype of dtypes) {
    add('where', tf.where as Op, [values(b, 1, 'bool'), values(a, 9, dtype), values(b, 9, dtype)], {
      // tfjs doesn't stretch an axis to none.
      gradient: dtype === 'float32' && a[0] === 0 ? 'none' : undefined,
    });
  }
}

// ---- reductions
const axes: readonly (number | number[] | undefined)[] = [undefined, 0, -1, -2, [-1, 0], [-3, -1]];
const reductions = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min, prod: tf.prod };
for (const axis of axes) {
  for (const keep of [false, true]) {
    const suffix = `over ${JSON.stringify(axis ?? 'all')}${keep ? ', kept,' : ''}`;
    for (const [name, op] of Object.entries(reductions)) {
      for (const dtype of ['float32', 'int32'] as const) {
        add(`${name} ${suffix}`, (x) => op(x!, axis, keep), [values([2, 3, 4], 3, dtype)]);
      }
    }
    add(`all ${suffix}`, (x) => tf.all(x!, axis, keep), [values([2, 3, 4], 3, 'bool')]);
    add(`any ${suffix}`, (x) => tf.any(x!, axis, keep), [values([2, 3, 4], 3, 'bool')]);
    add(`logSumExp ${suffix}`, (x) => tf.logSumExp(x!, axis, keep), [values([2, 3, 4])]);
    add(`sum ${suffix}`, (x) => tf.sum(x!, axis, keep), [values([2, 3, 4], 3, 'bool')]);
  }
}
for (const [name, op] of Object.entries(reductions)) {
  add(`${name} over 1`, (x) => op(x!, 1), [values([0, 3])]);
  add(name, (x) => op(x!), [values([])]);
}
add('sum over 0', (x) => tf.sum(x!, 0), [values([0, 3])]);
add('prod over 0', (x) => tf.prod(x!, 0), [values([0, 3])]);
for (const axis of [0, 1, 2, -1, -2, -3]) {
  add(`argMax over ${axis}`, (x) => tf.argMax(x!, axis), [values([2, 3, 4])]);
  add(`argMin over ${axis}`, (x) => tf.argMin(x!, axis), [values([2, 3, 4], 9, 'int32')]);
  // cpu's reads a negative axis wrongly.
  const positiveAxis = axis < 0 ? axis + 3 : axis;
  for (const [exclusive, reverse] of [
    [false, false],
    [true, true],
  ] as const) {
    for (const [name, op] of Object.entries({ cumsum: tf.cumsum, cumprod: tf.cumprod })) {
      add(
        `${name} over ${axis}${exclusive ? ', exclusive and reverse,' : ''}`,
        (x) => op(x!, axis, exclusive, reverse),
        [values([2, 3, 4])],
        {
          reference: (x) => op(x!, positiveAxis, exclusive, reverse),
        },
      );
    }
  }
}
for (const shape of [[1], [2, 0, 3], [2, 3, 4]]) {
  add('softmax', (x) => tf.softmax(x!), [values(shape)]);
  add('logSoftmax', (x) => tf.logSoftmax(x!), [values(shape)]);
}

// ---- elements that move
const moves: Record<string, readonly [(x: tf.Tensor) => tf.Tensor | tf.Tensor[], ...(readonly number[])[]]> =
  {
    'reshape to a list': [(x) => tf.reshape(x, [-1]), [], [0], [2, 3]],
    'reshape of nothing': [(x) => tf.reshape(x, [3, 0]), [0, 2]],
    'expandDims -2': [(x) => tf.expandDims(x, -2), [3], [2, 0]],
    'expandDims -1': [(x) => tf.expandDims(x, -1), [], [2, 3]],
    squeeze: [(x) => tf.squeeze(x), [], [1, 0, 1], [1, 3]],
    'squeeze -2': [(x) => tf.squeeze(x, [-2]), [2, 1, 3]],
    transpose: [(x) => tf.transpose(x), [], [3], [0, 2], [2, 3, 4]],
    'broadcastTo two more': [(x) => broadcastTo(x, [2, 1, 3]), [], [3], [1, 1]],
    'broadcastTo nothing': [(x) => broadcastTo(x, [0, 3]), [3], [0, 1]],
    tile: [(x) => tf.tile(x, [2, 3]), [2, 2], [1, 3], [0, 2]],
    'concat -1': [(x) => tf.concat([x, x], -1), [2], [2, 3], [2, 0], [0, 2]],
    'stack -1': [(x) => tf.stack([x, x], -1), [], [2], [2, 3]],
    'unstack -1': [(x) => tf.unstack(x, -1), [3], [2, 3]],
    slice: [(x) => tf.slice(x, [0, 1], [-1, 1]), [2, 3], [0, 2]],
    'split -1': [(x) => tf.split(x, 2, -1), [4], [3, 2], [0, 2]],
    'split -2': [(x) => tf.split(x, [1, 2], -2), [3, 2]],
    'reverse -1': [(x) => tf.reverse(x, -1), [3], [2, 3], [2, 0]],
    pad: [
      (x) =>
        tf.pad(
          x,
          x.shape.map(() => [1, 2] as [number, number]),
        ),
      [0],
      [2, 3],
    ],
    'gather along -1': [(x) => tf.gather(x, tf.tensor1d([1, 0, 1], 'int32'), -1), [2], [3, 2]],
    'gather along -2': [(x) => tf.gather(x, tf.tensor1d([1, 0, 1], 'int32'), -2), [2, 3]],
    'gather of nothing': [(x) => tf.gather(x, tf.tensor1d([], 'int32')), [2, 3]],
    zerosLike: [(x) => tf.zerosLike(x), [], [0], [2, 3]],
    onesLike: [(x) => tf.onesLike(x), [], [0], [2, 3]],
  };
for (const [name, [op, ...of]] of Object.entries(moves)) {
  for (const shape of of) for (const dtype of dtypes) add(name, (x) => op(x!), [values(shape, 9, dtype)]);
}
for (const dtype of ['float32', 'int32'] as const) {
  for (const shape of [[3], [2, 4], [0, 3]]) {
    add('topk', (x) => Object.values(tf.topk(x!, 2)), [values(shape, 9, dtype)], {
      gradient: shape[0] === 0 ? 'wrong on cpu' : undefined,
    });
  }
}

// ---- matrix products without elements, and with a list between
for (const [a, b] of [
  [
    [0, 2],
    [2, 3],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [2, 2],
    [2, 0],
  ],
  [
    [1, 1],
    [1, 1],
  ],
] as const) {
  add('matMul', (a, b) => tf.matMul(a!, b!), [values(a), values(b)]);
}
// cpu's is wrong where both sides broadcast.
add('matMul', (a, b) => tf.matMul(a!, b!), [values([2, 1, 2, 3]), values([3, 3, 2])], {
  reference: (a, b) => tf.matMul(tf.broadcastTo(a!, [2, 3, 2, 3]), tf.broadcastTo(b!, [2, 3, 3, 2])),
});

compareWithCpu(cases);

test('a tensor of rank 0 has no axis to pad: tfjs refuses it, on each backend', () => {
  expect(() => tf.pad(tf.scalar(1), [])).toThrow('Pass non-scalar to pad');
});
