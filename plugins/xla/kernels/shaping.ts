// Kernels that move elements: reshape, slice, join, pad, repeat.

import {
  backend_util,
  type BatchToSpaceNDAttrs,
  type DepthToSpaceAttrs,
  type ExpandDimsAttrs,
  type MirrorPadAttrs,
  type PackAttrs,
  type PadV2Attrs,
  type ReshapeAttrs,
  type ReverseAttrs,
  slice_util,
  type SliceAttrs,
  type SpaceToBatchNDAttrs,
  type SplitVAttrs,
  type StridedSliceAttrs,
  type Tensor,
  type TileAttrs,
  type TransposeAttrs,
  type UnpackAttrs,
  util,
} from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { promote } from './promotion';
import { axesOf, axisOf } from './shapes';
import { lower, lowerList, type LoweringTable } from './types';

/** Repeats whole arrays; a dimension of size 1 is broadcast, which costs nothing. */
function tile(x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((dim, i) => dim * reps[i]!);
  if (x.shape.every((dim, i) => dim === 1 || reps[i] === 1)) return hlo.broadcastTo(x, shape);
  const places: number[] = [];
  const expanded = x.shape.flatMap((dim, i) => {
    places.push(
      places.length === 0 ? (reps[i] === 1 ? 0 : 1) : places[places.length - 1]! + (reps[i] === 1 ? 1 : 2),
    );
    return reps[i] === 1 ? [dim] : [reps[i]!, dim];
  });
  return hlo.reshape(hlo.broadcastInDim(x, expanded, places), shape);
}

function mirrorPad(
  x: Value,
  paddings: readonly (readonly [number, number])[],
  mode: 'reflect' | 'symmetric',
): Value {
  const skip = mode === 'reflect' ? 1 : 0;
  return paddings.reduce((padded, [before, after], axis) => {
    const size = padded.shape[axis]!;
    const cut = (from: number, to: number) =>
      hlo.slice(
        padded,
        padded.shape.map((_, i) => (i === axis ? from : 0)),
        padded.shape.map((dim, i) => (i === axis ? to : dim)),
      );
    const parts = [padded];
    if (before > 0) parts.unshift(hlo.reverse(cut(skip, skip + before), [axis]));
    if (after > 0) parts.push(hlo.reverse(cut(size - skip - after, size - skip), [axis]));
    return hlo.concatenate(parts, axis);
  }, x);
}

function stridedSlice(x: Value, attrs: StridedSliceAttrs): Value {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const info = slice_util.sliceInfo(
    x.shape as number[],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  // With the axes that are dropped at the end, and without new ones.
  const counts = slice_util.computeOutShape(info.begin, info.end, info.strides);
  if (info.isIdentity || counts.includes(0)) {
    return counts.includes(0)
      ? hlo.splat(x.graph, x.type, info.finalShape, 0)
      : hlo.reshape(x, info.finalShape);
  }
  const backwards = info.strides.flatMap((stride, axis) => (stride < 0 ? [axis] : []));
  // A backward slice is a forward slice of the reversed axis.
  const start = info.begin.map((from, i) => (info.strides[i]! < 0 ? x.shape[i]! - 1 - from : from));
  const steps = info.strides.map(Math.abs);
  const limit = start.map((from, i) => from + (counts[i]! - 1) * steps[i]! + 1);
  return hlo.reshape(hlo.slice(hlo.reverse(x, backwards), start, limit, steps), info.finalShape);
}

export const shapingOps = {
  Reshape: lower<'x', ReshapeAttrs>(({ x }, { shape }) =>
    hlo.reshape(x, util.inferFromImplicitShape(shape, hlo.sizeOf(x.shape))),
  ),

  ExpandDims: lower<'input', ExpandDimsAttrs>(({ input }, { dim }) => {
    const axis = dim < 0 ? input.shape.length + dim + 1 : dim;
    return hlo.reshape(input, [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)]);
  }),

  Transpose: lower<'x', TransposeAttrs>(({ x }, { perm }) => hlo.transpose(x, perm)),

  BroadcastTo: lower<'x', { shape: number[] }>(({ x }, { shape }) => hlo.broadcastTo(x, shape)),

  Tile: lower<'x', TileAttrs>(({ x }, { reps }) => tile(x, reps)),

  Concat: lowerList<{ axis: number }>((inputs, { axis }) => {
    const along = axisOf(axis, inputs[0]!.shape);
    // tfjs lets an empty array of any other shape in.
    const filled = inputs.filter((value) => hlo.sizeOf(value.shape) > 0);
    return hlo.concatenate(promote(...(filled.length > 0 ? filled : inputs)), along);
  }),

  Pack: lowerList<PackAttrs>((inputs, { axis }) => {
    const { shape } = inputs[0]!;
    const along = axis < 0 ? axis + shape.length + 1 : axis;
    const expanded = [...shape.slice(0, along), 1, ...shape.slice(along)];
    return hlo.concatenate(
      promote(...inputs).map((value) => hlo.reshape(value, expanded)),
      along,
    );
  }),

  Unpack: lower<'value', UnpackAttrs>(({ value }, { axis }) => {
    const along = axisOf(axis, value.shape);
    const rest = value.shape.filter((_, i) => i !== along);
    return Array.from({ length: value.shape[along]! }, (_, k) =>
      hlo.reshape(
        hlo.slice(
          value,
          value.shape.map((_, i) => (i === along ? k : 0)),
          value.shape.map((dim, i) => (i === along ? k + 1 : dim)),
        ),
        rest,
      ),
    );
  }),

  Slice: lower<'x', SliceAttrs>(({ x }, { begin, size }) => {
    const tensor = { shape: x.shape, rank: x.shape.length } as unknown as Tensor;
    const [start, sizes] = slice_util.parseSliceParams(tensor, begin, size) as [number[], number[]];
    slice_util.assertParamsValid(tensor, start, sizes);
    return hlo.slice(
      x,
      start,
      start.map((from, i) => from + sizes[i]!),
    );
  }),

  StridedSlice: lower<'x', StridedSliceAttrs>(({ x }, attrs) => stridedSlice(x, attrs)),

  SplitV: lower<'x', SplitVAttrs>(({ x }, { numOrSizeSplits, axis }) => {
    const along = axisOf(axis, x.shape);
    const tensor = { shape: x.shape } as unknown as Tensor;
    const sizes = backend_util.prepareSplitSize(tensor, numOrSizeSplits, along);
    let from = 0;
    return sizes.map((size) => {
      const part = hlo.slice(
        x,
        x.shape.map((_, i) => (i === along ? from : 0)),
        x.shape.map((dim, i) => (i === along ? from + size : dim)),
      );
      from += size;
      return part;
    });
  }),

  PadV2: lower<'x', PadV2Attrs>(({ x }, { paddings, constantValue }) =>
    hlo.pad(
      x,
      hlo.scalar(x.graph, x.type, constantValue),
      paddings.map(([before]) => before),
      paddings.map(([, after]) => after),
    ),
  ),

  MirrorPad: lower<'x', MirrorPadAttrs>(({ x }, { paddings, mode }) => mirrorPad(x, paddings, mode)),

  Reverse: lower<'x', ReverseAttrs>(({ x }, { dims }) =>
    hlo.reverse(x, x.shape.length === 0 ? [] : axesOf(dims, x.shape)),
  ),

  FlipLeftRight: lower<'image'>(({ image }) => hlo.reverse(image, [2])),

  SpaceToBatchND: lower<'x', SpaceToBatchNDAttrs>(({ x }, { blockShape, paddings }) => {
    const rest = x.shape.length - 1 - blockShape.length;
    const padded = hlo.pad(
      x,
      hlo.scalar(x.graph, x.type, 0),
      [0, ...paddings.map(([before]) => before!), ...Array<number>(rest).fill(0)],
      [0, ...paddings.map(([, after]) => after!), ...Array<number>(rest).fill(0)],
    );
    const product = blockShape.reduce((a, b) => a * b, 1);
    const { shape } = padded;
    const split = backend_util.getReshaped(shape as number[], blockShape, product, false);
    const permutation = backend_util.getPermuted(split.length, blockShape.length, false);
    const result = backend_util.getReshapedPermuted(shape as number[], blockShape, product, false);
    return hlo.reshape(hlo.transpose(hlo.reshape(padded, split), permutation), result);
  }),

  BatchToSpaceND: lower<'x', BatchToSpaceNDAttrs>(({ x }, { blockShape, crops }) => {
    const shape = x.shape as number[];
    const product = blockShape.reduce((a, b) => a * b, 1);
    const split = backend_util.getReshaped(shape, blockShape, product);
    const permutation = backend_util.getPermuted(split.length, blockShape.length);
    const merged = backend_util.getReshapedPermuted(shape, blockShape, product);
    const start = backend_util.getSliceBeginCoords(crops, blockShape.length);
    const size = backend_util.getSliceSize(merged, crops, blockShape.length);
    const image = hlo.reshape(hlo.transpose(hlo.reshape(x, split), permutation), merged);
    const from = merged.map((_, i) => start[i] ?? 0);
    return hlo.slice(
      image,
      from,
      merged.map((dim, i) => from[i]! + (size[i] ?? dim)),
    );
  }),

  DepthToSpace: lower<'x', DepthToSpaceAttrs>(({ x }, { blockSize: b, dataFormat }) => {
    if (dataFormat === 'NCHW') {
      const [n, c, h, w] = x.shape as [number, number, number, number];
      const split = hlo.transpose(hlo.reshape(x, [n, b, b, c / (b * b), h, w]), [0, 3, 4, 1, 5, 2]);
      return hlo.reshape(split, [n, c / (b * b), h * b, w * b]);
    }
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const split = hlo.transpose(hlo.reshape(x, [n, h, w, b, b, c / (b * b)]), [0, 1, 3, 2, 4, 5]);
    return hlo.reshape(split, [n, h * b, w * b, c / (b * b)]);
  }),
} satisfies LoweringTable;
