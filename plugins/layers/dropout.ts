import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

export interface DropoutOptions {
  readonly rate: number;
  readonly train: boolean;
  /** Dimensions along which values are dropped together. */
  readonly broadcastDims?: readonly number[];
  /** How often the scope's dropout is called in all: see `Scope.rng`. Default: once. */
  readonly draws?: number;
}

/**
 * Dropout (Srivastava et al., JMLR 2014): in training each value is zero with probability `rate`, and divided by
 * 1 - rate otherwise. The key comes from the stream `dropout` and the scope's path, so a scope named as Flax's module
 * (`Dropout_0`) draws the same mask.
 * @param x float, any shape
 */
export function dropout(
  scope: Scope,
  x: tf.Tensor,
  { rate, train, broadcastDims, draws }: DropoutOptions,
): tf.Tensor {
  return train && rate > 0 ? tf.dropout(x, rate, scope.rng('dropout', draws), broadcastDims) : x;
}
