// Affine maps over the last axes, after flax.linen's Dense and DenseGeneral.

import type { Initializer } from '../../core/extensions';
import { lecunNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import { sizeOf } from '../../core/array';
import * as tf from '../../core/tensor';
import { inStorage } from './storage';

export interface DenseOptions {
  /** Of the kernel, on the shape [inputs, outputs] whatever the axes. Default: LeCun normal. */
  readonly kernelInit?: Initializer;
  /** Default: zeros. */
  readonly biasInit?: Initializer;
  readonly useBias?: boolean;
  /** What inputs and parameters are cast to. Default: they promote, as in JAX. */
  readonly dtype?: tf.StorageType;
}

/**
 * x kernel + bias. Parameters: `kernel` [in, features], `bias` [features].
 * @param x float [..., in]
 * @returns float [..., features]
 */
export function dense(scope: Scope, x: tf.Tensor, features: number, options: DenseOptions = {}): tf.Tensor {
  return denseGeneral(scope, x, { ...options, features: [features] });
}

export interface DenseGeneralOptions extends DenseOptions {
  /** How many of the last axes are contracted. */
  readonly inputAxes?: number;
  /** The axes that take their place. */
  readonly features: readonly number[];
}

/**
 * A dense layer over several axes at once. Parameters: `kernel` [...in, ...features], `bias` [...features].
 * @param x float [..., ...in]
 * @returns float [..., ...features]
 */
export function denseGeneral(scope: Scope, x: tf.Tensor, options: DenseGeneralOptions): tf.Tensor {
  const { inputAxes = 1, features } = options;
  const leading = x.shape.slice(0, x.rank - inputAxes);
  const y = flatDense(scope, x, options);
  return tf.reshape(y, [...leading, ...features]);
}

/**
 * As denseGeneral, but all leading axes and all features stay joined: one matrix product and no reshape of its result.
 * @returns float [rows, features]
 */
export function flatDense(scope: Scope, x: tf.Tensor, options: DenseGeneralOptions): tf.Tensor {
  const {
    inputAxes = 1,
    features,
    kernelInit = lecunNormal(),
    biasInit = zeros,
    useBias = true,
    dtype,
  } = options;
  if (x.rank < inputAxes) {
    throw scope.shapeError(
      `the input has shape [${x.shape.join(', ')}], expected at least ${inputAxes} axes`,
      'check what the layer is applied to.',
    );
  }
  const inputs = x.shape.slice(x.rank - inputAxes);
  const size = [sizeOf(inputs), sizeOf(features)] as const;
  const kernel = scope.param('kernel', [...inputs, ...features], onShape(kernelInit, size));
  const rows = tf.reshape(inStorage(x, dtype), [sizeOf(x.shape) / size[0], size[0]]);
  const product = tf.matMul(rows, inStorage(tf.reshape(kernel, [...size]), dtype));
  if (!useBias) return product;
  const bias = scope.param('bias', features, onShape(biasInit, [size[1]]));
  return tf.add(product, inStorage(tf.reshape(bias, [size[1]]), dtype));
}

/** An initializer that sees another shape than the parameter's, of the same size: fans are those of the matrix. */
function onShape(init: Initializer, shape: readonly number[]): Initializer {
  const make = (key: tf.Tensor, full: readonly number[]) => tf.reshape(init(key, shape), full as number[]);
  return Object.assign(make, { id: `${init.id} on [${shape.join(',')}]` });
}
