// Tables of vectors, after flax.linen's Embed.

import type { Initializer } from '../../core/extensions';
import { normal } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

export interface EmbedOptions {
  /** Number of rows. */
  readonly size: number;
  readonly features: number;
  /** Default: normal with a standard deviation of 1 / sqrt(features). */
  readonly init?: Initializer;
}

const tableOf = (scope: Scope, { size, features, init = normal(1 / Math.sqrt(features)) }: EmbedOptions) =>
  scope.param('embedding', [size, features], init);

/**
 * The rows of a table. Negative ids count from its end; what is outside of it isn't a number, so that it is seen. A table of
 * one row is that row for all ids. Parameters: `embedding` [size, features].
 * @param ids int32 [...]
 * @returns float [..., features]
 */
export function embed(scope: Scope, ids: tf.Tensor, options: EmbedOptions): tf.Tensor {
  const { size, features } = options;
  const table = tableOf(scope, options);
  if (size === 1) return tf.broadcastTo(table, [...ids.shape, features]);
  const rows = fromEnd(ids, size);
  const known = tf.logicalAnd(tf.greaterEqual(rows, zero()), tf.less(rows, tf.scalar(size, 'int32')));
  const found = tf.gather(table, tf.where(known, rows, zero()));
  return tf.where(tf.expandDims(known, -1), found, NaN);
}

const zero = () => tf.scalar(0, 'int32');

/** Negative indices of `size` rows as those that they stand for. */
export const fromEnd = (ids: tf.Tensor, size: number): tf.Tensor =>
  tf.where(tf.less(ids, zero()), tf.add(ids, tf.scalar(size, 'int32')), ids);

/**
 * The dot product with each row: logits from the table that embeds.
 * @param x float [..., features]
 * @returns float [..., size]
 */
export function attend(scope: Scope, x: tf.Tensor, options: EmbedOptions): tf.Tensor {
  const rows = tf.reshape(x, [-1, options.features]);
  const logits = tf.matMul(rows, tableOf(scope, options), false, true);
  return tf.reshape(logits, [...x.shape.slice(0, -1), options.size]);
}
