// Pooling over windows and its gradients, in two and three dimensions; channels last, as tfjs pools.

import { backend_util, type AvgPool3DAttrs, type AvgPoolAttrs } from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { accumulator, number } from './promotion';
import { lower, type LoweringTable } from './types';

type Pair = readonly [number, number];

interface PoolWindow extends hlo.Window {
  readonly stride: readonly number[];
  readonly padding: readonly Pair[];
  readonly dilation: readonly number[];
}

/** Around the spatial axes: batch and channels are windows of one. */
function windowOf(
  size: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
  padding: readonly Pair[],
): PoolWindow {
  return {
    size: [1, ...size, 1],
    stride: [1, ...stride, 1],
    dilation: [1, ...dilation, 1],
    padding: [[0, 0], ...padding, [0, 0]],
  };
}

type Pool2DAttrs = Pick<AvgPoolAttrs, 'filterSize' | 'strides' | 'pad'> & Partial<AvgPoolAttrs>;

function window2d(shape: readonly number[], attrs: Pool2DAttrs): PoolWindow {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const inShape = shape as [number, number, number, number];
  const info = backend_util.computePool2DInfo(inShape, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, bottom, left, right } = info.padInfo;
  return windowOf(
    [info.effectiveFilterHeight, info.effectiveFilterWidth],
    [info.strideHeight, info.strideWidth],
    [1, 1],
    [
      [top, bottom],
      [left, right],
    ],
  );
}

type Pool3DAttrs = Pick<AvgPool3DAttrs, 'filterSize' | 'strides' | 'pad'> & Partial<AvgPool3DAttrs>;

function window3d(shape: readonly number[], attrs: Pool3DAttrs): PoolWindow {
  const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attrs;
  const inShape = shape as [number, number, number, number, number];
  const info = backend_util.computePool3DInfo(
    inShape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
    dataFormat,
  );
  const { front, back, top, bottom, left, right } = info.padInfo;
  return windowOf(
    [info.effectiveFilterDepth, info.effectiveFilterHeight, info.effectiveFilterWidth],
    [info.strideDepth, info.strideHeight, info.strideWidth],
    [1, 1, 1],
    [
      [front, back],
      [top, bottom],
      [left, right],
    ],
  );
}

const maxPool = (x: Value, window: PoolWindow) => hlo.reduceWindow('maximum', number(x), window);

/** How many elements of the image each window has: padding doesn't count. */
const counts = (like: Value, window: PoolWindow) =>
  hlo.reduceWindow('add', hlo.splat(like.graph, 'f32', [1, ...like.shape.slice(1, -1), 1], 1), window);

function perWindow(sum: Value, like: Value, window: PoolWindow): Value {
  const count = hlo.convert(counts(like, window), sum.type);
  return hlo.divide(sum, hlo.broadcastTo(count, sum.shape));
}

function avgPool(x: Value, window: PoolWindow): Value {
  const wide = accumulator(x);
  return hlo.convert(perWindow(hlo.reduceWindow('add', wide, window), wide, window), x.type);
}

/** Spreads each window's share of dy over its elements. */
function avgPoolGrad(dy: Value, x: Value, window: PoolWindow): Value {
  const wide = accumulator(dy);
  const share = perWindow(wide, x, window);
  const back = x.shape.map((size, i): Pair => {
    const low = window.size[i]! - 1 - window.padding[i]![0];
    const dilated = (share.shape[i]! - 1) * window.stride[i]! + 1;
    return [low, size - (dilated + low) + window.size[i]! - 1];
  });
  const spread = hlo.reduceWindow('add', share, {
    size: window.size,
    padding: back,
    baseDilation: window.stride,
  });
  return hlo.convert(spread, dy.type);
}

const maxPoolGrad = (dy: Value, x: Value, window: PoolWindow) =>
  hlo.selectAndScatterAdd(x, hlo.convert(dy, x.type), window);

/** The place of each window's maximum in the flattened image (with the batch, if asked), i32. */
function argMaxPool(x: Value, window: PoolWindow, withBatch: boolean): Value {
  const { graph, shape } = x;
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const strides = [withBatch ? height * width * channels : 0, width * channels, channels, 1];
  const places = strides.reduce(
    (sum, stride, axis) =>
      hlo.add(sum, hlo.multiply(hlo.iota(graph, 'i32', shape, axis), hlo.splat(graph, 'i32', shape, stride))),
    hlo.splat(graph, 'i32', [batch, height, width, channels], 0),
  );
  const inits = [hlo.scalar(graph, x.type, -Infinity), hlo.scalar(graph, 'i32', -1)];
  const [, place] = hlo.reduceWindowMany([x, places], inits, window, (a, i, b, j) => {
    const first = hlo.compare('GE', a!, b!);
    return [hlo.select(first, a!, b!), hlo.select(first, i!, j!)];
  });
  return place!;
}

export const pooling = {
  AvgPool: lower<'x', AvgPoolAttrs>(({ x }, attrs) => avgPool(x, window2d(x.shape, attrs))),
  AvgPoolGrad: lower<'dy' | 'input', Pool2DAttrs>(({ dy, input }, attrs) =>
    avgPoolGrad(dy, input, window2d(input.shape, attrs)),
  ),
  MaxPool: lower<'x', Pool2DAttrs>(({ x }, attrs) => maxPool(x, window2d(x.shape, attrs))),
  MaxPoolGrad: lower<'dy' | 'input' | 'output', Pool2DAttrs>(({ dy, input }, attrs) =>
    maxPoolGrad(dy, input, window2d(input.shape, attrs)),
  ),
  MaxPoolWithArgmax: lower<'x', Pool2DAttrs & { includeBatchInIndex: boolean }>(({ x }, attrs) => {
    const window = window2d(x.shape, attrs);
    return [maxPool(x, window), argMaxPool(x, window, attrs.includeBatchInIndex)];
  }),

  AvgPool3D: lower<'x', AvgPool3DAttrs>(({ x }, attrs) => avgPool(x, window3d(x.shape, attrs))),
  AvgPool3DGrad: lower<'dy' | 'input', Pool3DAttrs>(({ dy, input }, attrs) =>
    avgPoolGrad(dy, input, window3d(input.shape, attrs)),
  ),
  MaxPool3D: lower<'x', Pool3DAttrs>(({ x }, attrs) => maxPool(x, window3d(x.shape, attrs))),
  MaxPool3DGrad: lower<'dy' | 'input' | 'output', Pool3DAttrs>(({ dy, input }, attrs) =>
    maxPoolGrad(dy, input, window3d(input.shape, attrs)),
  ),
} satisfies LoweringTable;
