// Image kernels: resizing as products with interpolation matrices, batch normalisation, crops, flips, and the few
// others that work on images and sequences.

import type {
  CropAndResizeAttrs,
  DenseBincountAttrs,
  FusedBatchNormAttrs,
  ResizeBilinearAttrs,
  SearchSortedAttrs,
} from '@tensorflow/tfjs-core';
import { bilinearWeights, nearestWeights, type ResizeWeights } from '../../../core/tensor/resize-weights';
import * as hlo from '../stablehlo';
import type { Graph, Value } from '../stablehlo';
import { take } from './indexing';
import { accumulator, float, number } from './promotion';
import { broadcast, withScalar } from './shapes';
import { lower, type LoweringTable } from './types';

type Size = readonly [number, number];

/** images: [n, h, w, c] -> [n, ...size, c]; backwards, from the gradient of that, the transposed product. */
function resize(
  images: Value,
  size: Size,
  weights: (from: number, to: number) => Float32Array,
  backwards = false,
): Value {
  const { graph } = images;
  const wide = hlo.convert(images, 'f32');
  const along = (x: Value, axis: number, to: number): Value => {
    const from = x.shape[axis]!;
    if (from === to) return x;
    const [rows, columns] = backwards ? [from, to] : [to, from];
    const matrix = hlo.dense(graph, 'f32', [rows, columns], weights(columns, rows));
    const product = hlo.dotGeneral(x, matrix, { contract: [[axis], [backwards ? 0 : 1]] });
    const last = x.shape.length - 1;
    const order = x.shape.map((_, i) => (i === axis ? last : i > axis ? i - 1 : i));
    return hlo.transpose(product, order);
  };
  return along(along(wide, 1, size[0]), 2, size[1]);
}

const resizeOp = (weights: ResizeWeights) =>
  lower<'images', ResizeBilinearAttrs>(({ images }, attrs) =>
    hlo.convert(
      resize(images, attrs.size, (from, to) => weights(from, to, attrs)),
      hlo.isFloat(images.type) ? images.type : 'f32',
    ),
  );

const resizeGrad = (weights: ResizeWeights) =>
  lower<'images' | 'dy', ResizeBilinearAttrs>(
    ({ images, dy }, { alignCorners, halfPixelCenters = false }) => {
      const size = [images.shape[1]!, images.shape[2]!] as const;
      const options = { alignCorners, halfPixelCenters };
      const resized = resize(dy, size, (from, to) => weights(from, to, options), true);
      return hlo.convert(resized, dy.type);
    },
  );

/** (x - mean) * (scale / sqrt(variance + epsilon)) + offset; the statistics broadcast. */
function batchNorm(
  x: Value,
  mean: Value,
  variance: Value,
  epsilon: number,
  scale?: Value,
  offset?: Value,
): Value {
  let factor = hlo.rsqrt(withScalar(hlo.add, accumulator(variance), epsilon));
  if (scale) factor = product(factor, scale);
  const [centered, minus] = broadcast(accumulator(x), mean) as [Value, Value];
  const scaled = product(hlo.subtract(centered, minus), factor);
  if (!offset) return hlo.convert(scaled, x.type);
  const [sum, plus] = broadcast(scaled, offset) as [Value, Value];
  return hlo.convert(hlo.add(sum, plus), x.type);
}

function product(a: Value, b: Value): Value {
  const [x, y] = broadcast(a, b) as [Value, Value];
  return hlo.multiply(x, y);
}

/** Counts (or weighs) each value below `size` in each row. x: [rows, n] of i32. */
function bincount(x: Value, weights: Value | undefined, size: number, binary: boolean): Value {
  const { graph } = x;
  const shape = [...x.shape, size];
  const lead = x.shape.map((_, i) => i);
  const bins = hlo.iota(graph, 'i32', shape, x.shape.length);
  const hits = hlo.compare('EQ', hlo.broadcastInDim(number(x), shape, lead), bins);
  const axis = x.shape.length - 1;
  if (binary) return hlo.convert(hlo.reduce('or', hits, [axis]), 'f32');
  const ones = weights ? hlo.broadcastInDim(weights, shape, lead) : hlo.splat(graph, 'f32', shape, 1);
  return hlo.reduce('add', hlo.select(hits, ones, hlo.splatLike(ones, 0)), [axis]);
}

/** Which boxes' corners and steps: [boxes, to] of positions along one axis of an image of `from`. */
function cropPositions(low: Value, high: Value, from: number, to: number): Value {
  const { graph } = low;
  const shape = [low.shape[0]!, to];
  const spread = (x: Value) => hlo.broadcastInDim(x, shape, [0]);
  const size = from - 1;
  if (to === 1) return spread(withScalar(hlo.multiply, hlo.add(low, high), 0.5 * size));
  const scale = withScalar(hlo.multiply, hlo.subtract(high, low), size / (to - 1));
  const steps = hlo.iota(graph, 'f32', shape, 1);
  return hlo.add(spread(withScalar(hlo.multiply, low, size)), hlo.multiply(steps, spread(scale)));
}

function cropAndResize(image: Value, boxes: Value, boxInd: Value, attrs: CropAndResizeAttrs): Value {
  const [, height, width, channels] = image.shape as [number, number, number, number];
  const count = boxes.shape[0]!;
  const [rows, columns] = attrs.cropSize;
  const corner = (i: number) => hlo.reshape(hlo.slice(boxes, [0, i], [count, i + 1]), [count]);
  const y = cropPositions(corner(0), corner(2), height, rows);
  const x = cropPositions(corner(1), corner(3), width, columns);
  const images = take(hlo.convert(image, 'f32'), hlo.convert(boxInd, 'i32'), 0, 0);
  const full = [count, rows, columns, channels];
  const inside = (at: Value, size: number) =>
    hlo.and(
      withScalar((a, b) => hlo.compare('GE', a, b), at, 0),
      withScalar((a, b) => hlo.compare('LE', a, b), at, size - 1),
    );
  const pick = (from: Value, axis: number, at: Value) => take(from, hlo.convert(at, 'i32'), axis, 1);
  const along = (from: Value, axis: number, at: Value): Value => {
    if (attrs.method === 'nearest') {
      return pick(from, axis, hlo.floor(withScalar(hlo.add, at, 0.5)));
    }
    const low = hlo.floor(at);
    const before = pick(from, axis, low);
    const fraction = hlo.broadcastInDim(hlo.subtract(at, low), before.shape, [0, axis]);
    const after = pick(from, axis, hlo.ceil(at));
    return hlo.add(before, hlo.multiply(hlo.subtract(after, before), fraction));
  };
  const crops = along(along(images, 1, y), 2, x);
  const valid = hlo.and(
    hlo.broadcastInDim(inside(y, height), full, [0, 1]),
    hlo.broadcastInDim(inside(x, width), full, [0, 2]),
  );
  return hlo.select(valid, crops, hlo.splatLike(crops, attrs.extrapolationValue));
}

/** For each value how many elements of its sorted row come before it. */
function searchSorted(sorted: Value, values: Value, side: 'left' | 'right'): Value {
  const [rows, count] = sorted.shape as [number, number];
  const wanted = values.shape[1]!;
  const shape = [rows, wanted, count];
  const before = hlo.compare(
    side === 'left' ? 'LT' : 'LE',
    hlo.broadcastInDim(sorted, shape, [0, 2]),
    hlo.broadcastInDim(values, shape, [0, 1]),
  );
  return hlo.reduce('add', hlo.convert(before, 'i32'), [2]);
}

const diag = (x: Value, graph: Graph): Value => {
  const size = hlo.sizeOf(x.shape);
  const square = [size, size];
  const flat = hlo.broadcastInDim(hlo.reshape(x, [size]), square, [0]);
  const same = hlo.compare('EQ', hlo.iota(graph, 'i32', square, 0), hlo.iota(graph, 'i32', square, 1));
  return hlo.reshape(hlo.select(same, flat, hlo.splatLike(flat, 0)), [...x.shape, ...x.shape]);
};

export const images = {
  ResizeBilinear: resizeOp(bilinearWeights),
  ResizeBilinearGrad: resizeGrad(bilinearWeights),
  ResizeNearestNeighbor: resizeOp(nearestWeights),
  ResizeNearestNeighborGrad: resizeGrad(nearestWeights),

  FusedBatchNorm: (inputs, attributes) => {
    const { x, scale, offset, mean, variance } = inputs;
    const { varianceEpsilon } = attributes as FusedBatchNormAttrs;
    return batchNorm(float(x!), mean!, variance!, varianceEpsilon ?? 0.001, scale, offset);
  },

  CropAndResize: lower<'image' | 'boxes' | 'boxInd', CropAndResizeAttrs>(({ image, boxes, boxInd }, attrs) =>
    cropAndResize(image, boxes, boxInd, attrs),
  ),

  Bincount: lower<'x' | 'weights', { size: number }>(({ x, weights }, { size }) =>
    bincount(x, hlo.sizeOf(weights.shape) > 0 ? weights : undefined, size, false),
  ),
  DenseBincount: lower<'x' | 'weights', DenseBincountAttrs>(({ x, weights }, { size, binaryOutput }) =>
    bincount(x, hlo.sizeOf(weights.shape) > 0 ? weights : undefined, size, binaryOutput ?? false),
  ),

  Diag: lower<'x'>(({ x }, _attrs, graph) => diag(x, graph)),

  SearchSorted: lower<'sortedSequence' | 'values', SearchSortedAttrs>(
    ({ sortedSequence, values }, { side }) => searchSorted(sortedSequence, values, side),
  ),
} satisfies LoweringTable;
