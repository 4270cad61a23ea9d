// Kernels that reduce over axes, scan along one, and normalise by such reductions.

import type {
  CumsumAttrs,
  LRNAttrs,
  LogSoftmaxAttrs,
  MaxAttrs,
  MinAttrs,
  SoftmaxAttrs,
  SumAttrs,
  TopKAttrs,
} from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { accumulator, number } from './promotion';
import { axesOf, axisOf, keepDims, spread, withScalar } from './shapes';
import { lower, type LoweringTable } from './types';

/** Reduces in f32 where the operand has fewer bits, and returns its type. */
function reduceOver(reducer: hlo.Reducer, x: Value, axes: readonly number[]): Value {
  return hlo.convert(hlo.reduce(reducer, accumulator(x), axes), x.type);
}

type Axes = Pick<SumAttrs, 'axis' | 'keepDims'>;

const reduction = (reducer: hlo.Reducer, operand: (x: Value) => Value = number) =>
  lower<'x', Axes>(({ x }, attrs) => {
    const axes = axesOf(attrs.axis, x.shape);
    const reduced = reduceOver(reducer, operand(x), axes);
    return attrs.keepDims ? keepDims(reduced, x.shape, axes) : reduced;
  });

/** tfjs sums and multiplies bool as int32. */
const countable = (x: Value) => (x.type === 'i1' ? hlo.convert(x, 'i32') : number(x));

const extremum = (reducer: hlo.Reducer) =>
  // tfjs's ops name the attribute differently.
  lower<'x', Partial<MaxAttrs & MinAttrs>>(({ x }, { reductionIndices, axis, keepDims: keep }) => {
    const axes = axesOf(reductionIndices ?? axis, x.shape);
    const reduced = hlo.reduce(reducer, number(x), axes);
    return keep ? keepDims(reduced, x.shape, axes) : reduced;
  });

/** Where the first extremum along an axis is, i32; a NaN is one. */
function argExtremum(x: Value, axis: number, direction: 'GT' | 'LT'): Value {
  const { graph } = x;
  const places = hlo.iota(graph, 'i32', x.shape, axis);
  const start = hlo.scalar(graph, x.type, hlo.identityOf(direction === 'GT' ? 'maximum' : 'minimum', x.type));
  const [, place] = hlo.reduceMany(
    [x, places],
    [start, hlo.scalar(graph, 'i32', 0)],
    [axis],
    (a, i, b, j) => {
      const [best, bestPlace, next, nextPlace] = [a!, i!, b!, j!];
      const nan = hlo.isFloat(x.type) ? hlo.compare('NE', best, best) : undefined;
      const wins = hlo.compare(direction, best, next);
      const keeps = nan ? hlo.or(wins, nan) : wins;
      const ties = hlo.and(hlo.compare('EQ', best, next), hlo.compare('LT', bestPlace, nextPlace));
      return [hlo.select(keeps, best, next), hlo.select(hlo.or(keeps, ties), bestPlace, nextPlace)];
    },
  );
  return place!;
}

const argReduction = (direction: 'GT' | 'LT') =>
  lower<'x', { axis: number }>(({ x }, { axis }) =>
    argExtremum(x.type === 'i1' ? hlo.convert(x, 'i32') : number(x), axisOf(axis, x.shape), direction),
  );

/** x less its maximum along `axis`, in f32: what softmax and log-softmax start from. */
function shifted(x: Value, axes: readonly number[]): Value {
  const wide = accumulator(x);
  return hlo.subtract(wide, spread(hlo.reduce('maximum', wide, axes), x.shape, axes));
}

/** As jax.nn.softmax: exp(x - max) / sum of that. */
function softmax(x: Value, axis: number): Value {
  const axes = [axisOf(axis, x.shape)];
  const exps = hlo.exp(shifted(x, axes));
  return hlo.convert(hlo.divide(exps, spread(hlo.reduce('add', exps, axes), x.shape, axes)), x.type);
}

/** As jax.nn.log_softmax: (x - max) - log(sum(exp(x - max))). */
function logSoftmax(x: Value, axis: number): Value {
  const axes = [axisOf(axis, x.shape)];
  const centered = shifted(x, axes);
  const logSum = hlo.log(hlo.reduce('add', hlo.exp(centered), axes));
  return hlo.convert(hlo.subtract(centered, spread(logSum, x.shape, axes)), x.type);
}

/** Inclusive scan by doubling: log2(n) steps, each over the whole array. */
function scan(x: Value, axis: number, op: (a: Value, b: Value) => Value, identity: number): Value {
  const size = x.shape[axis]!;
  const padding = hlo.scalar(x.graph, x.type, identity);
  const only = (amount: number) => x.shape.map((_, i) => (i === axis ? amount : 0));
  let result = x;
  for (let step = 1; step < size; step *= 2)
    result = op(result, hlo.pad(result, padding, only(step), only(-step)));
  return result;
}

const cumulative = (op: (a: Value, b: Value) => Value, identity: number) =>
  lower<'x', CumsumAttrs>(({ x }, { axis, exclusive, reverse }) => {
    const along = axisOf(axis, x.shape);
    const wide = accumulator(number(x));
    const forward = reverse ? hlo.reverse(wide, [along]) : wide;
    let result = scan(forward, along, op, identity);
    if (exclusive) {
      const only = (amount: number) => x.shape.map((_, i) => (i === along ? amount : 0));
      result = hlo.pad(result, hlo.scalar(x.graph, result.type, identity), only(1), only(-1));
    }
    return hlo.convert(reverse ? hlo.reverse(result, [along]) : result, number(x).type);
  });

/** Sums over the neighbours within `radius` along the last axis. */
function neighbours(x: Value, radius: number): Value {
  const last = x.shape.length - 1;
  const only = <T>(value: T, other: T) => x.shape.map((_, i) => (i === last ? value : other));
  return hlo.reduceWindow('add', x, {
    size: only(2 * radius + 1, 1),
    padding: only<readonly [number, number]>([radius, radius], [0, 0]),
  });
}

/** What local response normalisation divides by, before its exponent. */
const responseNorm = (x: Value, { depthRadius, alpha, bias }: LRNAttrs) =>
  withScalar(hlo.add, withScalar(hlo.multiply, neighbours(hlo.multiply(x, x), depthRadius), alpha), bias);

export const reductions = {
  LRN: lower<'x', LRNAttrs>(({ x }, attrs) =>
    hlo.multiply(x, withScalar(hlo.power, responseNorm(x, attrs), -attrs.beta)),
  ),
  LRNGrad: lower<'x' | 'y' | 'dy', LRNAttrs>(({ x, y, dy }, attrs) => {
    const { alpha, beta, depthRadius } = attrs;
    const norm = responseNorm(x, attrs);
    const direct = hlo.multiply(dy, withScalar(hlo.power, norm, -beta));
    const shared = neighbours(hlo.divide(hlo.multiply(dy, y), norm), depthRadius);
    return hlo.subtract(direct, withScalar(hlo.multiply, hlo.multiply(x, shared), 2 * alpha * beta));
  }),

  All: reduction('and', (x) => hlo.convert(x, 'i1')),
  Any: reduction('or', (x) => hlo.convert(x, 'i1')),
  Prod: reduction('multiply', countable),
  Sum: reduction('add', countable),
  Max: extremum('maximum'),
  Min: extremum('minimum'),
  ArgMax: argReduction('GT'),
  ArgMin: argReduction('LT'),

  /** As jnp.mean: the sum, divided. */
  Mean: lower<'x', Axes>(({ x }, { axis, keepDims: keep }) => {
    const axes = axesOf(axis, x.shape);
    const type = hlo.isFloat(x.type) ? x.type : 'f32';
    const sum = hlo.reduce('add', accumulator(hlo.convert(x, type)), axes);
    const count = axes.reduce((product, i) => product * x.shape[i]!, 1);
    const mean = hlo.convert(hlo.divide(sum, hlo.splatLike(sum, count)), type);
    return keep ? keepDims(mean, x.shape, axes) : mean;
  }),

  Softmax: lower<'logits', SoftmaxAttrs>(({ logits }, { dim }) => softmax(logits, dim)),
  LogSoftmax: lower<'logits', LogSoftmaxAttrs>(({ logits }, { axis }) => logSoftmax(logits, axis)),

  Cumsum: cumulative(hlo.add, 0),
  Cumprod: cumulative(hlo.multiply, 1),

  TopK: lower<'x', TopKAttrs>(({ x }, { k }) => hlo.topK(number(x), k)),
} satisfies LoweringTable;
