// Attention, after flax.linen's MultiHeadDotProductAttention.

import type { Initializer } from '../../core/extensions';
import { lecunNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { flatDense } from './dense';

export interface AttentionOptions {
  readonly heads: number;
  /** Bool, broadcast against [batch, heads, queries, keys]: false hides a key from a query. */
  readonly mask?: tf.Tensor;
  /** Width of all heads together. Default: the queries' width. */
  readonly qkvFeatures?: number;
  /** Width of the result. Default: the queries' width. */
  readonly outFeatures?: number;
  /** Of all four kernels. Default: LeCun normal. */
  readonly kernelInit?: Initializer;
  readonly biasInit?: Initializer;
  readonly useBias?: boolean;
  /** What inputs and parameters are cast to. Default: they promote, as in JAX. */
  readonly dtype?: tf.StorageType;
}

/** The most negative finite value, which a hidden key scores; float32's would be infinite in the narrow types. */
const lowest: Readonly<Record<tf.StorageType, number>> = {
  float32: -3.4028234663852886e38,
  bfloat16: -3.3895313892515355e38,
  float16: -65504,
};

/**
 * Multi-head dot-product attention (arXiv:1706.03762); self-attention where `kv` is `q`. Parameters: `query`, `key` and
 * `value` with `kernel` [in, heads, size] and `bias` [heads, size]; `out` with `kernel` [heads, size, out] and `bias`
 * [out].
 * @param q float [batch, queries, width]
 * @param kv float [batch, keys, width']
 * @returns float [batch, queries, out]
 */
export function multiHeadAttention(
  scope: Scope,
  { q, kv = q }: { readonly q: tf.Tensor; readonly kv?: tf.Tensor },
  options: AttentionOptions,
): tf.Tensor {
  const { heads, mask, dtype, kernelInit = lecunNormal(), biasInit = zeros, useBias = true } = options;
  if (q.rank !== 3 || kv.rank !== 3 || q.shape[0] !== kv.shape[0]) {
    throw scope.shapeError(
      `queries have shape [${q.shape.join(', ')}] and keys [${kv.shape.join(', ')}], expected [batch, length, width]`,
      'check what the attention is applied to.',
    );
  }
  const [batch, queries, width] = q.shape as [number, number, number];
  const keys = kv.shape[1] as number;
  const { qkvFeatures = width, outFeatures = width } = options;
  if (qkvFeatures % heads !== 0) {
    throw scope.shapeError(
      `a width of ${qkvFeatures} can't be divided into ${heads} heads`,
      'choose a width (or num_heads) so that the number of heads divides the width.',
    );
  }
  const size = qkvFeatures / heads;
  const shared = { kernelInit, biasInit, useBias, dtype };
  const project = (name: string, x: tf.Tensor) =>
    flatDense(scope.child(name), x, { ...shared, features: [heads, size] });
  // [batch * length, heads * size] -> [batch, heads, length, size]
  const byHead = (x: tf.Tensor, length: number) =>
    tf.transpose(tf.reshape(x, [batch, length, heads, size]), [0, 2, 1, 3]);

  const query = byHead(tf.div(project('query', q), Math.sqrt(size)), queries);
  const key = byHead(project('key', kv), keys);
  const value = byHead(project('value', kv), keys);
  const scores = tf.matMul(query, key, false, true);
  const weights = tf.softmax(mask ? tf.where(mask, scores, lowest[dtype ?? 'float32']) : scores);
  const attended = tf.transpose(tf.matMul(weights, value), [0, 2, 1, 3]);
  const out = flatDense(scope.child('out'), attended, { ...shared, inputAxes: 2, features: [outFeatures] });
  return tf.reshape(out, [batch, queries, outFeatures]);
}
