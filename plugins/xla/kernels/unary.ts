// Kernels of one operand, on each element.

import type { CastAttrs, ClipByValueAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core';
import { elementTypeOfTensor, tensorDType } from '../element-types';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { float, number } from './promotion';
import { withScalar } from './shapes';
import { lower, type LoweringTable } from './types';

/** Keeps integers. */
const any = (op: (x: Value) => Value) => lower<'x'>(({ x }) => op(number(x)));
/** Integers become floats. */
const real = (op: (x: Value) => Value) => lower<'x'>(({ x }) => op(float(x)));
/** Nothing to do for integers. */
const rounding = (op: (x: Value) => Value) =>
  lower<'x'>(({ x }) => (hlo.isFloat(x.type) ? op(x) : number(x)));

const zero = (x: Value) => hlo.splatLike(x, 0);
const isNaN = (x: Value) => hlo.compare('NE', x, x);
const isInfinite = (x: Value) => withScalar((a, b) => hlo.compare('EQ', a, b), hlo.abs(x), Infinity);
const positive = (x: Value) => hlo.compare('GT', x, zero(x));
const atLeastZero = (x: Value) => hlo.compare('GE', x, zero(x));
const falseLike = (x: Value) => hlo.splat(x.graph, 'i1', x.shape, 0);
const trueLike = (x: Value) => hlo.splat(x.graph, 'i1', x.shape, 1);
const integerOr = (whenInteger: (x: Value) => Value, op: (x: Value) => Value) =>
  lower<'x'>(({ x }) => (hlo.isFloat(x.type) ? op(x) : whenInteger(x)));

export const relu = (x: Value): Value => hlo.maximum(x, zero(x));
export const relu6 = (x: Value): Value =>
  hlo.clamp(hlo.scalar(x.graph, x.type, 0), x, hlo.scalar(x.graph, x.type, 6));
export const elu = (x: Value): Value => hlo.select(atLeastZero(x), x, hlo.expm1(x));
export const leakyRelu = (x: Value, alpha: number): Value =>
  hlo.select(atLeastZero(x), x, withScalar(hlo.multiply, x, alpha));
/** log(1 + exp(x)) as jax.nn.softplus has it: logaddexp(x, 0). */
const softplus = (x: Value): Value => hlo.add(relu(x), hlo.log1p(hlo.exp(hlo.negate(hlo.abs(x)))));

const seluAlpha = 1.7580993408473768; // scale * alpha
const seluScale = 1.0507009873554805;

export const unary = {
  Abs: any(hlo.abs),
  Acos: real(hlo.acos),
  Acosh: real(hlo.acosh),
  Asin: real(hlo.asin),
  Asinh: real(hlo.asinh),
  Atan: real(hlo.atan),
  Atanh: real(hlo.atanh),
  Ceil: rounding(hlo.ceil),
  Cos: real(hlo.cosine),
  Cosh: real(hlo.cosh),
  Elu: real(elu),
  Erf: real(hlo.erf),
  Exp: real(hlo.exp),
  Expm1: real(hlo.expm1),
  Floor: rounding(hlo.floor),
  IsFinite: integerOr(trueLike, hlo.isFinite),
  IsInf: integerOr(falseLike, isInfinite),
  IsNan: integerOr(falseLike, isNaN),
  Log: real(hlo.log),
  Log1p: real(hlo.log1p),
  LogicalNot: lower<'x'>(({ x }) => hlo.not(hlo.convert(x, 'i1'))),
  Neg: any(hlo.negate),
  Reciprocal: real((x) => hlo.divide(hlo.splatLike(x, 1), x)),
  Relu: any(relu),
  Relu6: any(relu6),
  Round: rounding(hlo.roundNearestEven),
  Rsqrt: real(hlo.rsqrt),
  Selu: real((x) =>
    hlo.select(
      atLeastZero(x),
      withScalar(hlo.multiply, x, seluScale),
      withScalar(hlo.multiply, hlo.expm1(x), seluAlpha),
    ),
  ),
  Sigmoid: real(hlo.logistic),
  Sign: any(hlo.sign),
  Sin: real(hlo.sine),
  Sinh: real(hlo.sinh),
  Softplus: real(softplus),
  Sqrt: real(hlo.sqrt),
  Square: any((x) => hlo.multiply(x, x)),
  Tan: real(hlo.tan),
  Tanh: real(hlo.tanh),

  LeakyRelu: lower<'x', LeakyReluAttrs>(({ x }, { alpha }) => leakyRelu(float(x), alpha)),

  /** 1 above zero, alpha below; NaN stays. */
  Step: lower<'x', StepAttrs>(({ x: stored }, { alpha }) => {
    const x = number(stored);
    const step = hlo.select(positive(x), hlo.splatLike(x, 1), hlo.splatLike(x, alpha));
    return hlo.isFloat(x.type) ? hlo.select(isNaN(x), x, step) : step;
  }),

  ClipByValue: lower<'x', ClipByValueAttrs>(({ x: stored }, { clipValueMin, clipValueMax }) => {
    const x = number(stored);
    return hlo.clamp(hlo.scalar(x.graph, x.type, clipValueMin), x, hlo.scalar(x.graph, x.type, clipValueMax));
  }),

  EluGrad: lower<'dy' | 'y'>(({ dy, y }) =>
    hlo.select(atLeastZero(y), dy, hlo.multiply(dy, withScalar(hlo.add, y, 1))),
  ),

  /** The storage of a float stays: bf16 is float32 to tfjs. */
  Cast: lower<'x', CastAttrs>(({ x }, { dtype }) => {
    if (dtype === tensorDType(x.type)) return dtype === 'float32' ? x : number(x);
    if (dtype === 'bool') return hlo.compare('NE', x, zero(x));
    return hlo.convert(x, elementTypeOfTensor(dtype));
  }),
} satisfies LoweringTable;
