// Initializers with the numerics of jax.nn.initializers: the same key gives the same numbers. All make float32.

import type { Initializer } from '../extensions';
import * as tf from '../tensor';

type Shape = readonly number[];

/**
 * An initializer of a function and its `id`. Parameters of the same id, shape and sharding are made by one program, so
 * the id must name everything that the function depends on.
 */
export function initializer(id: string, make: (key: tf.Tensor, shape: Shape) => tf.Tensor): Initializer {
  return Object.freeze(Object.assign((key: tf.Tensor, shape: Shape) => make(key, shape), { id }));
}

/** Every value is `value`. */
export function constant(value: number): Initializer {
  return initializer(`constant(${value})`, (_key, shape) => tf.fill(shape as number[], value));
}

export const zeros: Initializer = constant(0);
export const ones: Initializer = constant(1);

/** Normal with mean 0. */
export function normal(stddev = 0.01): Initializer {
  return initializer(`normal(${stddev})`, (key, shape) => tf.mul(tf.random.normal(key, shape), stddev));
}

/** Normal with mean 0, cut off at `lower` and `upper` standard deviations (of the uncut normal). */
export function truncatedNormal(stddev = 0.01, lower = -2, upper = 2): Initializer {
  return initializer(`truncatedNormal(${stddev},${lower},${upper})`, (key, shape) =>
    tf.mul(tf.random.truncatedNormal(key, lower, upper, shape), stddev),
  );
}

/** Which axes of a kernel are what; those that aren't named are the receptive field of a convolution. */
export interface FanAxes {
  /** Default: the last but one. */
  readonly inAxis?: number | readonly number[];
  /** Default: the last. */
  readonly outAxis?: number | readonly number[];
  /** Of independent kernels in one array. Default: none. */
  readonly batchAxis?: number | readonly number[];
}

export interface VarianceScaling extends FanAxes {
  readonly scale: number;
  readonly mode: 'fan_in' | 'fan_out' | 'fan_avg' | 'fan_geo_avg';
  readonly distribution: 'truncated_normal' | 'normal' | 'uniform';
}

/** Standard deviation of a standard normal that is cut off at -2 and 2, in float32. */
const truncatedDeviation = Math.fround(0.8796256610342398);

/** A distribution with mean 0 and variance scale / fan; what the named initializers below are made of. */
export function varianceScaling(options: VarianceScaling): Initializer {
  const { scale, mode, distribution, ...axes } = options;
  const f32 = Math.fround;
  const named = JSON.stringify([scale, mode, distribution, axes.inAxis, axes.outAxis, axes.batchAxis]);
  return initializer(`varianceScaling(${named.slice(1, -1)})`, (key, shape) => {
    const variance = f32(scale / denominators[mode](computeFans(shape, axes)));
    switch (distribution) {
      case 'truncated_normal': {
        const stddev = f32(f32(Math.sqrt(variance)) / truncatedDeviation);
        return tf.mul(tf.random.truncatedNormal(key, -2, 2, shape), stddev);
      }
      case 'normal':
        return tf.mul(tf.random.normal(key, shape), f32(Math.sqrt(variance)));
      case 'uniform':
        return tf.mul(tf.random.uniform(key, shape, -1, 1), f32(Math.sqrt(f32(3 * variance))));
    }
  });
}

/** LeCun et al., "Efficient BackProp" (1998): variance 1 / fan-in. Flax's default for kernels. */
export function lecunNormal(axes: FanAxes = {}): Initializer {
  return varianceScaling({ scale: 1, mode: 'fan_in', distribution: 'truncated_normal', ...axes });
}

/** He et al., arXiv:1502.01852: variance 2 / fan-in. */
export function heNormal(axes: FanAxes = {}): Initializer {
  return varianceScaling({ scale: 2, mode: 'fan_in', distribution: 'truncated_normal', ...axes });
}

/** Glorot & Bengio (AISTATS 2010): uniform with variance 2 / (fan-in + fan-out). */
export function xavierUniform(axes: FanAxes = {}): Initializer {
  return varianceScaling({ scale: 1, mode: 'fan_avg', distribution: 'uniform', ...axes });
}

interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

const denominators: Record<VarianceScaling['mode'], (fans: Fans) => number> = {
  fan_in: ({ fanIn }) => fanIn,
  fan_out: ({ fanOut }) => fanOut,
  fan_avg: ({ fanIn, fanOut }) => (fanIn + fanOut) / 2,
  fan_geo_avg: ({ fanIn, fanOut }) => Math.sqrt(fanIn * fanOut),
};

function computeFans(shape: Shape, { inAxis = -2, outAxis = -1, batchAxis = [] }: FanAxes): Fans {
  if (shape.length < 2) {
    throw new Error(`An initializer with fan-in and fan-out needs 2 axes or more, got [${shape.join(', ')}]`);
  }
  const size = (axes: number | readonly number[]) =>
    [axes].flat().reduce<number>((product, axis) => product * (shape.at(axis) as number), 1);
  const field = shape.reduce((a, b) => a * b, 1) / size(inAxis) / size(outAxis) / size(batchAxis);
  return { fanIn: size(inAxis) * field, fanOut: size(outAxis) * field };
}
