// Gradients of the kernels of images and volumes that models seldom train through: pools and convolutions in three
// dimensions, dilations, normalization over channels, resizing.

import {
  add,
  type AvgPool3DAttrs,
  type Conv3DAttrs,
  type Dilation2DAttrs,
  type FusedBatchNormAttrs,
  type LRNAttrs,
  matMul,
  type MaxPool3DAttrs,
  mul,
  neg,
  reshape,
  type ResizeBilinearAttrs,
  rsqrt,
  square,
  sub,
  type Tensor,
  tensor,
  transpose,
} from '@tensorflow/tfjs-core';
import { fromInput, rule, run, sumTo } from './gradient-rule';
import { bilinearWeights, nearestWeights, type ResizeWeights } from './resize-weights';

/** Called once, with the other gradients. */
export function registerVolumeGradients(): void {
  registerPoolsAndConvolutions();
  registerNormalization();
  resizing('ResizeBilinear', bilinearWeights);
  resizing('ResizeNearestNeighbor', nearestWeights);
}

function registerPoolsAndConvolutions(): void {
  fromInput<AvgPool3DAttrs>('AvgPool3D', (dy, x, { filterSize, strides, pad, dimRoundingMode }) =>
    run('AvgPool3DGrad', { dy, input: x }, { filterSize, strides, pad, dimRoundingMode }),
  );
  rule<MaxPool3DAttrs>('MaxPool3D', { inputs: ['x'], result: true }, (dy, saved, attrs) => {
    const [input, output] = saved as [Tensor, Tensor];
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    return {
      x: () => run('MaxPool3DGrad', { dy, input, output }, { filterSize, strides, pad, dimRoundingMode }),
    };
  });
  rule<Conv3DAttrs>('Conv3D', { inputs: ['x', 'filter'] }, (dy, saved, { strides, pad, dilations }) => {
    const [x, filter] = saved as [Tensor, Tensor];
    if ([dilations].flat().some((dilation) => dilation !== 1))
      throw new Error('conv3d with dilations has no gradient');
    return {
      x: () => run('Conv3DBackpropInputV2', { dy, filter }, { strides, pad, inputShape: x.shape }),
      filter: () => run('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape: filter.shape }),
    };
  });
  rule<Conv3DAttrs>('Conv3DBackpropInputV2', { inputs: ['dy', 'filter'] }, (x, saved, { strides, pad }) => {
    const [dy, filter] = saved as [Tensor, Tensor];
    return {
      dy: () => run('Conv3D', { x, filter }, conv3dAttrs(strides, pad)),
      filter: () => run('Conv3DBackpropFilterV2', { x, dy }, { strides, pad, filterShape: filter.shape }),
    };
  });
  rule<Conv3DAttrs>('Conv3DBackpropFilterV2', { inputs: ['x', 'dy'] }, (filter, saved, { strides, pad }) => {
    const [x, dy] = saved as [Tensor, Tensor];
    return {
      x: () => run('Conv3DBackpropInputV2', { dy, filter }, { strides, pad, inputShape: x.shape }),
      dy: () => run('Conv3D', { x, filter }, conv3dAttrs(strides, pad)),
    };
  });
  rule<Dilation2DAttrs>('Dilation2D', { inputs: ['x', 'filter'] }, (dy, saved, attrs) => {
    const [x, filter] = saved as [Tensor, Tensor];
    return {
      x: () => run('Dilation2DBackpropInput', { x, filter, dy }, attrs),
      filter: () => run('Dilation2DBackpropFilter', { x, filter, dy }, attrs),
    };
  });
}

const conv3dAttrs = (strides: Conv3DAttrs['strides'], pad: Conv3DAttrs['pad']) => ({
  strides,
  pad,
  dataFormat: 'NDHWC',
  dilations: [1, 1, 1],
});

function registerNormalization(): void {
  rule<LRNAttrs>('LRN', { inputs: ['x'], result: true }, (dy, saved, attrs) => {
    const [x, y] = saved as [Tensor, Tensor];
    return { x: () => run('LRNGrad', { x, y, dy }, attrs) };
  });
  // (x - mean) * rsqrt(variance + epsilon) * scale + offset. tfjs saves inputs by name, so the scale has to be given.
  rule<FusedBatchNormAttrs>(
    'FusedBatchNorm',
    { inputs: ['x', 'mean', 'variance', 'scale'] },
    (dy, saved, { varianceEpsilon }) => {
      const [x, mean, variance, scale] = saved as [Tensor, Tensor, Tensor, Tensor];
      const inverse = rsqrt(add(variance, varianceEpsilon));
      const factor = mul(inverse, scale);
      const centered = sub(x, mean);
      return {
        x: () => mul(dy, factor),
        mean: () => neg(sumTo(mul(dy, factor), mean.shape)),
        variance: () =>
          sumTo(mul(mul(dy, centered), mul(-0.5, mul(factor, square(inverse)))), variance.shape),
        scale: () => sumTo(mul(dy, mul(centered, inverse)), scale.shape),
        // It has a value for each channel, as the statistics do.
        offset: () => sumTo(dy, scale.shape),
      };
    },
  );
}

/** Resizing is a matrix product along rows and one along columns; so is its gradient, on every runtime. */
function resizing(kernel: string, weights: ResizeWeights): void {
  fromInput<ResizeBilinearAttrs>(
    kernel,
    (dy, images, attrs) => {
      const [batch, rows, columns, channels] = images.shape as [number, number, number, number];
      const [toRows, toColumns] = dy.shape.slice(1, 3) as [number, number];
      const matrix = (from: number, to: number) => tensor(weights(from, to, attrs), [to, from]);
      const planes = reshape(transpose(dy, [0, 3, 1, 2]), [batch * channels * toRows, toColumns]);
      const narrow = reshape(matMul(planes, matrix(columns, toColumns)), [batch * channels, toRows, columns]);
      const turned = reshape(transpose(narrow, [0, 2, 1]), [batch * channels * columns, toRows]);
      const small = reshape(matMul(turned, matrix(rows, toRows)), [batch, channels, columns, rows]);
      return transpose(small, [0, 3, 2, 1]);
    },
    'images',
  );
}
