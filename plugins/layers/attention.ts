// Attention, after flax.linen's MultiHeadDotProductAttention.

import type { Initializer } from '../../core/extensions';
import { lecunNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { flatDense } from './dense';
import { dropout as dropoutOf } from './dropout';

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
  /** Of the kernel of `out`. Default: as the others. */
  readonly outKernelInit?: Initializer;
  readonly biasInit?: Initializer;
  readonly useBias?: boolean;
  /** What inputs and parameters are cast to. Default: they promote, as in JAX. */
  readonly dtype?: tf.StorageType;
  /** Of the weights of keys, drawn for each query and head alone. */
  readonly dropout?: { readonly rate: number; readonly train: boolean };
}

/** The most negative finite value, which a hidden key scores; float32's would be infinite in the narrow types. */
const lowest: Readonly<Record<tf.StorageType, number>> = {
  float32: -3.4028234663852886e38,
  bfloat16: -3.3895313892515355e38,
  float16: -65504,
};

/** The halves of attention are used alone where keys and values are kept from call to call: decoding token by token. */
export type KeysAndValues = {
  /** float [batch, heads, keys, size] */
  readonly key: tf.Tensor;
  /** float [batch, heads, keys, size] */
  readonly value: tf.Tensor;
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
  if (q.rank !== 3 || kv.rank !== 3 || q.shape[0] !== kv.shape[0]) {
    throw scope.shapeError(
      `queries have shape [${q.shape.join(', ')}] and keys [${kv.shape.join(', ')}], expected [batch, length, width]`,
      'check what the attention is applied to.',
    );
  }
  const width = q.shape[2] as number;
  const { qkvFeatures = width, outFeatures = width } = options;
  const sized = { ...options, qkvFeatures, outFeatures };
  const query = queries(scope, q, sized);
  return attendTo(scope, query, keysAndValues(scope, kv, sized), sized);
}

type Sized = AttentionOptions & { readonly qkvFeatures: number; readonly outFeatures: number };

/** Of tokens, scaled. @returns float [batch, heads, queries, size] */
export function queries(scope: Scope, q: tf.Tensor, options: Omit<Sized, 'outFeatures'>): tf.Tensor {
  return byHead(tf.div(project(scope, 'query', q, options), Math.sqrt(headSize(scope, options))), q, options);
}

export function keysAndValues(
  scope: Scope,
  kv: tf.Tensor,
  options: Omit<Sized, 'outFeatures'>,
): KeysAndValues {
  const key = byHead(project(scope, 'key', kv, options), kv, options);
  return { key, value: byHead(project(scope, 'value', kv, options), kv, options) };
}

/**
 * What queries find among keys.
 * @param query float [batch, heads, queries, size]
 * @returns float [batch, queries, out]
 */
export function attendTo(
  scope: Scope,
  query: tf.Tensor,
  { key, value }: KeysAndValues,
  options: Omit<Sized, 'qkvFeatures'>,
): tf.Tensor {
  const { mask, dtype, outFeatures, dropout } = options;
  const [batch, , length] = query.shape as [number, number, number, number];
  const scores = tf.matMul(query, key, false, true);
  const weights = tf.softmax(mask ? tf.where(mask, scores, lowest[dtype ?? 'float32']) : scores);
  const kept = dropout ? dropoutOf(scope, weights, dropout) : weights;
  const attended = tf.transpose(tf.matMul(kept, value), [0, 2, 1, 3]);
  const { kernelInit, ...others } = initsOf(options);
  const { outKernelInit = kernelInit } = options;
  const shared = { ...others, kernelInit: outKernelInit, inputAxes: 2, features: [outFeatures] };
  return tf.reshape(flatDense(scope.child('out'), attended, shared), [batch, length, outFeatures]);
}

const initsOf = ({
  kernelInit = lecunNormal(),
  biasInit = zeros,
  useBias = true,
  dtype,
}: AttentionOptions) => ({
  kernelInit,
  biasInit,
  useBias,
  dtype,
});

function headSize(scope: Scope, { heads, qkvFeatures }: Pick<Sized, 'heads' | 'qkvFeatures'>): number {
  if (qkvFeatures % heads === 0) return qkvFeatures / heads;
  throw scope.shapeError(
    `a width of ${qkvFeatures} can't be divided into ${heads} heads`,
    'choose a width (or num_heads) so that the number of heads divides the width.',
  );
}

/** @returns float [batch * length, heads * size] */
const project = (scope: Scope, name: string, x: tf.Tensor, options: Omit<Sized, 'outFeatures'>) =>
  flatDense(scope.child(name), x, {
    ...initsOf(options),
    features: [options.heads, headSize(scope, options)],
  });

/** [batch * length, heads * size] -> [batch, heads, length, size] */
function byHead(rows: tf.Tensor, { shape }: tf.Tensor, { heads, qkvFeatures }: Omit<Sized, 'outFeatures'>) {
  const [batch, length] = shape as [number, number, number];
  return tf.transpose(tf.reshape(rows, [batch, length, heads, qkvFeatures / heads]), [0, 2, 1, 3]);
}
