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
 * The rows of a table. Parameters: `embedding` [size, features].
 * @param ids int32 [...]
 * @returns float [..., features]
 */
export function embed(scope: Scope, ids: tf.Tensor, options: EmbedOptions): tf.Tensor {
  return tf.gather(tableOf(scope, options), ids);
}

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
