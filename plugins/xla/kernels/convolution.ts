// Convolutions and their gradients, in two and three dimensions.

import {
  backend_util,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  type Conv3DAttrs,
  type Conv3DBackpropFilterV2Attrs,
  type Conv3DBackpropInputV2Attrs,
  type DepthwiseConv2dNativeAttrs,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type FusedConv2DAttrs,
} from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { activate } from './activation';
import { dot } from './matmul';
import { promote } from './promotion';
import { broadcast } from './shapes';
import { lower, type Lowering, type LoweringTable } from './types';

type Pair = readonly [number, number];

/** What a convolution is, by spatial axis: [height, width] or [depth, height, width]. */
interface Geometry {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly Pair[];
  readonly channelsLast: boolean;
}

/**
 * tfjs works out the size of a result with numeric padding from the first side of the kernel alone. Where that isn't
 * what the padding gives, the far side is padded (or cut) until it is.
 */
function asSized(geometry: Geometry): Geometry {
  const { input, kernel, output, stride, dilation } = geometry;
  const padding = geometry.padding.map(([low, high], i): Pair => {
    const reach = (kernel[i]! - 1) * dilation[i]! + 1;
    const natural = Math.floor((input[i]! + low + high - reach) / stride[i]!) + 1;
    return natural === output[i]
      ? [low, high]
      : [low, (output[i]! - 1) * stride[i]! + reach - input[i]! - low];
  });
  return { ...geometry, padding };
}

function geometry2d(info: backend_util.Conv2DInfo): Geometry {
  const { top, bottom, left, right } = info.padInfo;
  return asSized({
    input: [info.inHeight, info.inWidth],
    kernel: [info.filterHeight, info.filterWidth],
    output: [info.outHeight, info.outWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    padding: [
      [top, bottom],
      [left, right],
    ],
    channelsLast: info.dataFormat === 'channelsLast',
  });
}

function geometry3d(info: backend_util.Conv3DInfo): Geometry {
  const { front, back, top, bottom, left, right } = info.padInfo;
  return {
    input: [info.inDepth, info.inHeight, info.inWidth],
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    padding: [
      [front, back],
      [top, bottom],
      [left, right],
    ],
    channelsLast: info.dataFormat === 'channelsLast',
  };
}

const spatialAxes = (rank: number, from: number) => Array.from({ length: rank }, (_, i) => i + from);

/** Axes of images in the geometry's layout. */
function imageAxes({ input, channelsLast }: Geometry) {
  const rank = input.length;
  return channelsLast
    ? { batch: 0, feature: rank + 1, spatial: spatialAxes(rank, 1) }
    : { batch: 0, feature: 1, spatial: spatialAxes(rank, 2) };
}

/** Axes of kernels: [...spatial, in, out]. */
const kernelAxes = (rank: number) => ({ input: rank, output: rank + 1, spatial: spatialAxes(rank, 0) });

/** Windows that cover the image without overlap or rest: a matrix product of patches. */
function isPatches({ input, kernel, stride, padding, dilation, output, channelsLast }: Geometry): boolean {
  return (
    channelsLast &&
    kernel.every((size, i) => size === stride[i] && size > 1 && dilation[i] === 1) &&
    padding.every(([low, high]) => low === 0 && high === 0) &&
    output.every((size, i) => size * kernel[i]! === input[i])
  );
}

/** [n, ...output, ...kernel, c] of an image [n, ...input, c]. */
function toPatches(x: Value, { kernel, output }: Geometry): Value {
  const rank = kernel.length;
  const split = [x.shape[0]!, ...output.flatMap((size, i) => [size, kernel[i]!]), x.shape[rank + 1]!];
  const order = [0, ...output.map((_, i) => 1 + 2 * i), ...kernel.map((_, i) => 2 + 2 * i), split.length - 1];
  return hlo.transpose(hlo.reshape(x, split), order);
}

/** The inverse of toPatches. */
function fromPatches(patches: Value, { kernel, output, input }: Geometry): Value {
  const rank = kernel.length;
  const order = [0, ...output.flatMap((_, i) => [1 + i, 1 + rank + i]), 2 * rank + 1];
  const channels = patches.shape[2 * rank + 1]!;
  return hlo.reshape(hlo.transpose(patches, order), [patches.shape[0]!, ...input, channels]);
}

/** x: [n, ...spatial, in], w: [...spatial, in, out] -> [n, ...output, out] (or channels first). */
function convolve(x: Value, w: Value, geometry: Geometry, featureGroups = 1): Value {
  const [image, kernel] = promote(x, w) as [Value, Value];
  const rank = geometry.input.length;
  if (featureGroups === 1 && isPatches(geometry)) {
    const contract = spatialAxes(rank + 1, 0);
    return dot(toPatches(image, geometry), kernel, {
      contract: [contract.map((i) => i + 1 + rank), contract],
    });
  }
  const { stride, padding, dilation } = geometry;
  return hlo.convolution(
    image,
    kernel,
    { input: imageAxes(geometry), kernel: kernelAxes(rank), output: imageAxes(geometry) },
    { stride, padding, kernelDilation: dilation, featureGroups },
  );
}

/** The gradient of `convolve` by x: dy: [n, ...output, out]. */
function convolveBackInput(dy: Value, w: Value, geometry: Geometry, featureGroups = 1): Value {
  const [gradient, kernel] = promote(dy, w) as [Value, Value];
  const { input, stride, padding, dilation, output } = geometry;
  const rank = input.length;
  if (featureGroups === 1 && isPatches(geometry)) {
    return fromPatches(dot(gradient, kernel, { contract: [[rank + 1], [rank + 1]] }), geometry);
  }
  const reach = geometry.kernel.map((size, i) => (size - 1) * dilation[i]! + 1);
  const back = input.map((size, i): Pair => {
    const low = reach[i]! - 1 - padding[i]![0];
    const dilated = output[i] === 0 ? 0 : (output[i]! - 1) * stride[i]! + 1;
    return [low, size - (dilated + low) + reach[i]! - 1];
  });
  // Grouped: [..., in / groups, out] becomes [..., out / groups, in], each group on its own.
  const arranged = featureGroups === 1 ? kernel : swapGroups(kernel, featureGroups);
  const axes = kernelAxes(rank);
  return hlo.convolution(
    gradient,
    arranged,
    {
      input: imageAxes(geometry),
      kernel: featureGroups === 1 ? { ...axes, input: axes.output, output: axes.input } : axes,
      output: imageAxes(geometry),
    },
    {
      stride: input.map(() => 1),
      padding: back,
      inputDilation: stride,
      kernelDilation: dilation,
      reversal: true,
      featureGroups,
    },
  );
}

/** [...spatial, in / groups, out] -> [...spatial, out / groups, in]. */
function swapGroups(w: Value, groups: number): Value {
  const spatial = w.shape.slice(0, -2);
  const [inputs, outputs] = w.shape.slice(-2) as [number, number];
  const rank = spatial.length;
  const split = hlo.reshape(w, [...spatial, inputs, groups, outputs / groups]);
  const order = [...spatialAxes(rank, 0), rank + 2, rank + 1, rank];
  return hlo.reshape(hlo.transpose(split, order), [...spatial, outputs / groups, groups * inputs]);
}

/** The gradient of `convolve` by w: x: [n, ...input, in], dy: [n, ...output, out] -> [...kernel, in, out]. */
function convolveBackKernel(x: Value, dy: Value, geometry: Geometry, featureGroups = 1): Value {
  const [image, gradient] = promote(x, dy) as [Value, Value];
  const { input, kernel, stride, padding, dilation, output } = geometry;
  const rank = input.length;
  if (featureGroups === 1 && isPatches(geometry)) {
    const contract = spatialAxes(rank + 1, 0);
    return dot(toPatches(image, geometry), gradient, { contract: [contract, contract] });
  }
  const axes = imageAxes(geometry);
  const back = input.map((size, i): Pair => {
    const low = padding[i]![0];
    const reach = (kernel[i]! - 1) * dilation[i]! + 1;
    const dilated = output[i] === 0 ? 0 : (output[i]! - 1) * stride[i]! + 1;
    return [low, dilated + reach - 1 - size - low];
  });
  // The batch is contracted: it plays the feature, and the features play the batch.
  return hlo.convolution(
    image,
    gradient,
    {
      input: { batch: axes.feature, feature: axes.batch, spatial: axes.spatial },
      kernel: { input: axes.batch, output: axes.feature, spatial: axes.spatial },
      output: { batch: rank, feature: rank + 1, spatial: spatialAxes(rank, 0) },
    },
    {
      stride: dilation,
      padding: back,
      kernelDilation: stride,
      batchGroups: featureGroups,
    },
  );
}

function conv2dInfo(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: Pick<Conv2DAttrs, 'strides' | 'pad' | 'dataFormat' | 'dimRoundingMode'> & Partial<Conv2DAttrs>,
  depthwise = false,
): Geometry {
  const format = backend_util.convertConv2DDataFormat(attrs.dataFormat ?? 'NHWC');
  return geometry2d(
    backend_util.computeConv2DInfo(
      inShape as [number, number, number, number],
      filterShape as [number, number, number, number],
      attrs.strides,
      attrs.dilations ?? 1,
      attrs.pad,
      attrs.dimRoundingMode,
      depthwise,
      format,
    ),
  );
}

function conv3dInfo(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: Pick<Conv3DAttrs, 'strides' | 'pad'> & Partial<Conv3DAttrs>,
): Geometry {
  type Shape5 = [number, number, number, number, number];
  const { strides, dilations = 1, pad } = attrs;
  return geometry3d(
    backend_util.computeConv3DInfo(inShape as Shape5, filterShape as Shape5, strides, dilations, pad),
  );
}

/** [h, w, in, multiplier] as a grouped kernel [h, w, 1, in * multiplier]. */
function groupedKernel(filter: Value): Value {
  const [h, w, channels, multiplier] = filter.shape as [number, number, number, number];
  return hlo.reshape(filter, [h, w, 1, channels * multiplier]);
}

const conv2d = (x: Value, filter: Value, attrs: Conv2DAttrs) =>
  convolve(x, filter, conv2dInfo(x.shape, filter.shape, attrs));

function depthwise(x: Value, filter: Value, attrs: DepthwiseConv2dNativeAttrs): Value {
  const geometry = conv2dInfo(x.shape, filter.shape, attrs, true);
  return convolve(x, groupedKernel(filter), geometry, filter.shape[2]);
}

const fused =
  (op: (x: Value, filter: Value, attrs: Conv2DAttrs) => Value): Lowering =>
  (inputs, attributes) => {
    const attrs = attributes as FusedConv2DAttrs;
    const { x, filter, bias, preluActivationWeights } = inputs;
    const channelsFirst = attrs.dataFormat === 'NCHW';
    const perChannel = (value: Value) =>
      channelsFirst && value.shape.length === 1 ? hlo.reshape(value, [value.shape[0]!, 1, 1]) : value;
    const product = op(x!, filter!, attrs);
    const [sum, offset] = bias ? (broadcast(product, perChannel(bias)) as [Value, Value]) : [product];
    const biased = offset ? hlo.add(sum, offset) : sum;
    const slope = preluActivationWeights && perChannel(preluActivationWeights);
    return activate(biased, attrs.activation, slope, attrs.leakyreluAlpha);
  };

export const convolutions = {
  Conv2D: lower<'x' | 'filter', Conv2DAttrs>(({ x, filter }, attrs) => conv2d(x, filter, attrs)),
  FusedConv2D: fused(conv2d),

  Conv2DBackpropInput: lower<'dy' | 'filter', Conv2DBackpropInputAttrs>(({ dy, filter }, attrs) =>
    convolveBackInput(dy, filter, conv2dInfo(attrs.inputShape, filter.shape, attrs)),
  ),

  Conv2DBackpropFilter: lower<'x' | 'dy', Conv2DBackpropFilterAttrs>(({ x, dy }, attrs) =>
    convolveBackKernel(x, dy, conv2dInfo(x.shape, attrs.filterShape, attrs)),
  ),

  DepthwiseConv2dNative: lower<'x' | 'filter', DepthwiseConv2dNativeAttrs>(({ x, filter }, attrs) =>
    depthwise(x, filter, attrs),
  ),
  FusedDepthwiseConv2D: fused(depthwise),

  DepthwiseConv2dNativeBackpropInput: lower<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>(
    ({ dy, filter }, attrs) => {
      const geometry = conv2dInfo(attrs.inputShape, filter.shape, { ...attrs, dataFormat: 'NHWC' }, true);
      return convolveBackInput(dy, groupedKernel(filter), geometry, filter.shape[2]);
    },
  ),

  DepthwiseConv2dNativeBackpropFilter: lower<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>(
    ({ x, dy }, attrs) => {
      const geometry = conv2dInfo(x.shape, attrs.filterShape, { ...attrs, dataFormat: 'NHWC' }, true);
      const kernel = convolveBackKernel(x, dy, geometry, attrs.filterShape[2]);
      return hlo.reshape(kernel, attrs.filterShape);
    },
  ),

  Conv3D: lower<'x' | 'filter', Conv3DAttrs>(({ x, filter }, attrs) =>
    convolve(x, filter, conv3dInfo(x.shape, filter.shape, attrs)),
  ),

  Conv3DBackpropInputV2: lower<'dy' | 'filter', Conv3DBackpropInputV2Attrs>(({ dy, filter }, attrs) =>
    convolveBackInput(dy, filter, conv3dInfo(attrs.inputShape, filter.shape, attrs)),
  ),

  Conv3DBackpropFilterV2: lower<'x' | 'dy', Conv3DBackpropFilterV2Attrs>(({ x, dy }, attrs) =>
    convolveBackKernel(x, dy, conv3dInfo(x.shape, attrs.filterShape, attrs)),
  ),
} satisfies LoweringTable;
