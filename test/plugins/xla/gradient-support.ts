// Gradients of the same cases as those of values: on XLA against tfjs's cpu backend, and against central differences.

import { type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { type HostArray, hostArray } from '../../../core/array';
import * as tf from '../../../core/tensor';

type Run = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Values are moved onto a grid of this, off its multiples and off each other: where a slope changes suddenly (at integers,
 * at 0, between equal elements) no two of a difference's sides are.
 */
const grid = 1 / 32;
/** Of each element, at most, for a difference. */
const step = grid / 16;

/** Other values close to these, distinct within each input and between the first and the second. */
export const offKinks = (inputs: readonly HostArray[]): readonly HostArray[] =>
  inputs.map((input, which) => {
    if (input.dtype !== 'float32') return input;
    const taken = new Set<number>();
    const offset = which % 2 === 0 ? 0.25 : 0.75;
    const moved = Array.from(input.data, (value) => {
      let level = Number.isFinite(value) ? Math.floor(value / grid) : 0;
      while (taken.has(level)) level += level < 0 ? -1 : 1;
      taken.add(level);
      return (level + offset) * grid;
    });
    return hostArray('float32', input.shape, moved);
  });

/** The same numbers for the same size, with both signs, none of them small: parts of a direction. */
const parts = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => {
    const unit = ((i + 1) * 0.754877666 + seed * 0.569840291) % 1;
    return unit < 0.5 ? unit - 1 : unit;
  });

const direction = ({ data }: HostArray, which: number) => parts(data.length, which + 1);

/** The inputs, a step along the direction, forwards (1) or backwards (-1). */
export const stepped = (inputs: readonly HostArray[], sign: 1 | -1): readonly HostArray[] =>
  inputs.map((input, which) => {
    if (input.dtype !== 'float32') return input;
    const along = direction(input, which);
    return hostArray(
      'float32',
      input.shape,
      Array.from(input.data, (value, i) => value + sign * step * along[i]!),
    );
  });

const weights = (index: number, size: number) => parts(size, index + 11);

/** The gradients by the float inputs of the weighted sum of all elements of the float results; none without such. */
export function gradientsOf(run: Run, inputs: readonly Tensor[]): readonly Tensor[] {
  const floats = inputs.filter(({ dtype }) => dtype === 'float32');
  if (floats.length === 0) return [];
  let differentiable = false;
  const loss = (...moving: Tensor[]): Scalar => {
    const left = [...moving];
    const results = [run(...inputs.map((x) => (x.dtype === 'float32' ? left.shift()! : x)))].flat();
    const sums = results.flatMap((y, i) => {
      if (y.dtype !== 'float32') return [];
      differentiable = true;
      return [tf.sum(tf.mul(y, tf.tensor(weights(i, y.size), y.shape)))];
    });
    return (sums.length > 0 ? tf.addN(sums) : tf.scalar(0)) as Scalar;
  };
  const { grads } = tf.valueAndGrads(loss)(floats);
  return differentiable ? grads : [];
}

interface Values {
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

/**
 * The slope of the weighted sum along the direction, by the results on both sides, against the gradients' product with the
 * direction; NaN counts as a difference.
 *
 * @returns their distance in terms of what the elements of the product are together.
 */
export function slopeError(
  inputs: readonly HostArray[],
  gradients: readonly Values[],
  after: readonly Values[],
  before: readonly Values[],
): number {
  if (gradients.length === 0) return 0;
  let slope = 0;
  after.forEach(({ dtype, values }, i) => {
    if (dtype !== 'float32') return;
    const weight = weights(i, values.length);
    for (let j = 0; j < values.length; j++) slope += weight[j]! * (values[j]! - before[i]!.values[j]!);
  });
  slope /= 2 * step;
  let product = 0;
  let size = 0;
  const left = [...gradients];
  inputs.forEach((input, which) => {
    if (input.dtype !== 'float32') return;
    const { values } = left.shift()!;
    const along = direction(input, which);
    for (let j = 0; j < along.length; j++) {
      product += along[j]! * values[j]!;
      size += Math.abs(along[j]! * values[j]!);
    }
  });
  return Math.abs(slope - product) / Math.max(1, size);
}

/** Kernels that run on XLA, give floats, and have no gradient: neither in tfjs nor here. */
export const withoutGradient = [
  ...['AvgPool3DGrad', 'AvgPoolGrad', 'MaxPool3DGrad', 'MaxPoolGrad', 'MaxPoolWithArgmax', 'LRNGrad'],
  ...['CropAndResize', 'ResizeBilinearGrad', 'ResizeNearestNeighborGrad', 'RotateWithOffset', 'Transform'],
  ...['Dilation2DBackpropFilter', 'Dilation2DBackpropInput'],
  ...['Cumprod', 'DepthToSpace', 'Diag', 'FlipLeftRight', 'SparseToDense'],
];

/** Whether the error is that of one of these, or of a convolution with dilations. */
export function saysNoGradient({ message }: Error): boolean {
  const [, kernel] = /gradient function not found for (\w+)/.exec(message) ?? [];
  return (
    (kernel !== undefined && withoutGradient.includes(kernel)) ||
    /with dilations has no gradient/.test(message)
  );
}
