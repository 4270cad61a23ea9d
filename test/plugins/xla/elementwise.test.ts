// Elementwise kernels against tfjs's cpu backend.

import * as tf from '@tensorflow/tfjs-core';
import { type Case, compareWithCpu, given, positive, values } from './support';

type Op = (x: tf.Tensor) => tf.Tensor;
type Op2 = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const inUnit = values([3, 4], 0.95);
const special = given('float32', [8], 0, -0, NaN, Infinity, -Infinity, 0.5, -0.5, 1.5);

const unary: Record<string, [Op, ...Case['inputs']]> = {
  abs: [tf.abs, values([2, 3])],
  acos: [tf.acos, inUnit],
  acosh: [tf.acosh, given('float32', [3], 1, 1.5, 4)],
  asin: [tf.asin, inUnit],
  asinh: [tf.asinh, values([3, 4])],
  atan: [tf.atan, values([3, 4])],
  atanh: [tf.atanh, inUnit],
  ceil: [tf.ceil, values([3, 4])],
  cos: [tf.cos, values([3, 4])],
  cosh: [tf.cosh, values([3, 4])],
  elu: [tf.elu, values([3, 4])],
  erf: [tf.erf, values([3, 4])],
  exp: [tf.exp, values([3, 4])],
  expm1: [tf.expm1, values([3, 4])],
  floor: [tf.floor, values([3, 4])],
  isFinite: [tf.isFinite, special],
  isInf: [tf.isInf, special],
  isNaN: [tf.isNaN, special],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.3), values([3, 4])],
  log: [tf.log, positive([3, 4])],
  log1p: [tf.log1p, inUnit],
  logicalNot: [tf.logicalNot, values([4], 2, 'bool')],
  logSigmoid: [tf.logSigmoid, values([3, 4], 8)],
  neg: [tf.neg, values([3, 4])],
  reciprocal: [tf.reciprocal, positive([3, 4])],
  relu: [tf.relu, values([3, 4])],
  relu6: [tf.relu6, values([3, 4], 10)],
  round: [tf.round, given('float32', [6], 0.5, 1.5, 2.5, -0.5, -1.5, 1.2)],
  rsqrt: [tf.rsqrt, positive([3, 4])],
  selu: [tf.selu, values([3, 4])],
  sigmoid: [tf.sigmoid, values([3, 4], 8)],
  sign: [tf.sign, given('float32', [4], -2, 0, 3, 0.5)],
  sin: [tf.sin, values([3, 4])],
  sinh: [tf.sinh, values([3, 4])],
  softplus: [tf.softplus, values([3, 4], 20)],
  sqrt: [tf.sqrt, positive([3, 4])],
  square: [tf.square, values([3, 4])],
  step: [(x) => tf.step(x, 0.2), given('float32', [4], -1, 0, 2, NaN)],
  tan: [tf.tan, inUnit],
  tanh: [tf.tanh, values([3, 4])],
  clipByValue: [(x) => tf.clipByValue(x, -0.5, 1), values([3, 4])],
  'rank 0': [tf.exp, given('float32', [], 0.7)],
  empty: [tf.exp, given('float32', [0, 3])],
  'abs of int32': [tf.abs, values([5], 9, 'int32')],
  'relu of int32': [tf.relu, values([5], 9, 'int32')],
  'square of int32': [tf.square, values([5], 9, 'int32')],
  'neg of int32': [tf.neg, values([5], 9, 'int32')],
  'float to int32': [(x) => tf.cast(x, 'int32'), given('float32', [5], -1.7, -0.2, 0, 0.9, 2.5)],
  'float to bool': [(x) => tf.cast(x, 'bool'), given('float32', [4], -1.7, 0, 0.9, 2)],
  'int32 to float': [(x) => tf.cast(x, 'float32'), values([5], 9, 'int32')],
  'int32 to bool': [(x) => tf.cast(x, 'bool'), given('int32', [3], -1, 0, 2)],
  'bool to int32': [(x) => tf.cast(x, 'int32'), values([4], 1, 'bool')],
  'bool to float': [(x) => tf.cast(x, 'float32'), values([4], 1, 'bool')],
};

const shapes: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['same shapes', [2, 3], [2, 3]],
  ['a row', [2, 3], [3]],
  ['a column', [2, 1], [2, 3]],
  ['both broadcast', [2, 1, 3], [4, 1]],
  ['a scalar', [2, 3], []],
  ['scalars', [], []],
  ['empty', [0, 3], [3]],
];

const floats: Record<string, Op2> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
  atan2: tf.atan2,
  mod: tf.mod,
};
const comparisons: Record<string, Op2> = {
  equal: tf.equal,
  notEqual: tf.notEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
};
const ints: Record<string, Op2> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  floorDiv: tf.floorDiv,
  mod: tf.mod,
  maximum: tf.maximum,
  minimum: tf.minimum,
};
const nonZero = given('int32', [6], 3, -3, 2, -2, 5, -5);
const integers = given('int32', [6], 7, 7, -7, -7, 10, 0);

const cases: Case[] = [
  ...Object.entries(unary).map(([name, [run, ...inputs]]) => ({
    name,
    run,
    inputs,
    tolerance: 4e-6,
    at: name === 'acosh' ? [given('float32', [3], 1.2, 1.5, 4)] : undefined,
  })),
  ...Object.entries(floats).flatMap(([op, run]) =>
    shapes.map(([name, a, b]) => ({
      name: `${op}: ${name}`,
      run: run as Case['run'],
      inputs: [values(a), positive(b)],
    })),
  ),
  ...Object.entries(comparisons).flatMap(([op, run]) => [
    {
      name: `${op} of floats`,
      run: run as Case['run'],
      inputs: [given('float32', [4], 1, 2, 3, NaN), given('float32', [4], 2, 2, 2, NaN)],
    },
    {
      name: `${op} of int32`,
      run: run as Case['run'],
      inputs: [given('int32', [3], 1, 2, 3), given('int32', [], 2)],
    },
  ]),
  ...Object.entries(ints).map(([op, run]) => ({
    name: `${op} of int32`,
    run: run as Case['run'],
    inputs: [integers, nonZero],
  })),
  { name: 'pow', run: tf.pow as Case['run'], inputs: [positive([2, 3]), values([3])] },
  {
    name: 'pow of int32',
    run: tf.pow as Case['run'],
    inputs: [given('int32', [3], 2, -3, 5), given('int32', [3], 3, 2, 0)],
  },
  { name: 'floorDiv of floats', run: tf.floorDiv as Case['run'], inputs: [values([4], 9), positive([4])] },
  { name: 'prelu', run: tf.prelu as Case['run'], inputs: [values([2, 3]), values([3])] },
  { name: 'int32 with float', run: tf.add as Case['run'], inputs: [values([3], 5, 'int32'), values([3])] },
  {
    name: 'bool with int32',
    run: tf.add as Case['run'],
    inputs: [values([3], 5, 'bool'), values([3], 5, 'int32')],
  },
  {
    name: 'divNoNan',
    run: tf.divNoNan as Case['run'],
    inputs: [values([3]), given('float32', [3], 1, 0, 2)],
    at: [values([3]), given('float32', [3], 1, -0.5, 2)],
  },
  {
    name: 'logicalAnd',
    run: tf.logicalAnd as Case['run'],
    inputs: [values([2, 3], 1, 'bool'), values([3], 1, 'bool')],
  },
  {
    name: 'logicalOr',
    run: tf.logicalOr as Case['run'],
    inputs: [values([2, 3], 1, 'bool'), values([3], 1, 'bool')],
  },
  {
    name: 'logicalXor',
    run: tf.logicalXor as Case['run'],
    inputs: [values([4], 1, 'bool'), given('bool', [4], 1, 0, 1, 0)],
  },
  { name: 'bitwiseAnd', run: tf.bitwiseAnd as Case['run'], inputs: [integers, nonZero] },
  {
    name: 'where',
    run: (c, a, b) => tf.where(c!, a!, b!),
    inputs: [values([2, 3], 1, 'bool'), values([2, 3]), values([3])],
  },
  {
    name: 'where with a broadcast condition',
    run: (c, a, b) => tf.where(c!, a!, b!),
    inputs: [values([2, 1], 1, 'bool'), values([2, 3]), values([])],
  },
  {
    name: 'addN',
    run: (a, b, c) => tf.addN([a!, b!, c!]),
    inputs: [values([2, 3]), values([2, 3], 5), positive([2, 3])],
  },
];

compareWithCpu(cases);
