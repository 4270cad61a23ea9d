// A block of Gemma (arXiv:2403.08295): rotary positions (arXiv:2104.09864), heads that share keys (arXiv:2305.13245), an
// MLP with a gate (arXiv:2002.05202), and RMS norms (arXiv:1910.07467).

import { varianceScaling, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dropout } from '../layers';
import type { BlockConfig } from './options';

/** Where tokens stand, and what they see. */
export interface Places {
  /** int32 [batch or 1, length] */
  readonly positions: tf.Tensor;
  /** bool [batch or 1, length, tokens that may be seen] */
  readonly mask: tf.Tensor;
}

const kernelInit = (inAxis: readonly number[], outAxis: readonly number[]) =>
  varianceScaling({ scale: 1, mode: 'fan_in', distribution: 'truncated_normal', inAxis, outAxis });

/** Of all tokens that may be seen: float [batch, length, num_kv_heads, head_dim]. */
export type KeysAndValues = Readonly<Record<'key' | 'value', tf.Tensor>>;

/** From the keys and values of a block's own tokens to those of all that they see. */
export type Recall = (own: KeysAndValues) => KeysAndValues;

/** In place of minus infinity, as Gemma has it. */
const never = -2.3819763e38;

/** x / sqrt(mean(x^2) + 1e-6) * (1 + scale). Parameter: `scale` [features], which begins at 0. */
export function rmsNorm(scope: Scope, x: tf.Tensor): tf.Tensor {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6));
  return tf.mul(tf.mul(x, inverse), tf.add(1, scope.param('scale', x.shape.slice(-1), zeros)));
}

/**
 * Turns the pairs (i, i + size / 2) of a head's values by an angle of position * 10000^(-2 i / size).
 * @param x float [batch, length, heads, size]
 */
function rotate(x: tf.Tensor, positions: tf.Tensor): tf.Tensor {
  const pairs = (x.shape[3] as number) / 2;
  const timescale = tf.tensor(Array.from({ length: pairs }, (_, i) => 10_000 ** (i / pairs)));
  const radians = tf.div(tf.expandDims(tf.expandDims(tf.cast(positions, 'float32'), -1), -1), timescale);
  const [sin, cos] = [tf.sin(radians), tf.cos(radians)];
  const [a, b] = tf.split(x, 2, 3) as [tf.Tensor, tf.Tensor];
  return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))], 3);
}

/** Logits that stay between -cap and cap (arXiv:2408.00118); 0: as they are. */
export const softcap = (logits: tf.Tensor, cap: number): tf.Tensor =>
  cap === 0 ? logits : tf.mul(tf.tanh(tf.div(logits, cap)), cap);

const kernel = (scope: Scope, shape: readonly number[], inAxis: number[], outAxis: number[]) =>
  scope.param('w', shape, kernelInit(inAxis, outAxis));

function queriesKeysValues(
  scope: Scope,
  x: tf.Tensor,
  { num_heads, num_kv_heads, width, head_dim }: BlockConfig,
) {
  if (num_heads === num_kv_heads) {
    const w = kernel(scope.child('qkv_einsum'), [3, num_heads, width, head_dim], [2], [0, 1, 3]);
    return tf.unstack(tf.einsum('bsd,ckdh->cbskh', x, w)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  }
  const q = kernel(scope.child('q_einsum'), [num_heads, width, head_dim], [1], [0, 2]);
  const kv = kernel(scope.child('kv_einsum'), [2, num_kv_heads, width, head_dim], [2], [0, 1, 3]);
  const [k, v] = tf.unstack(tf.einsum('bsd,ckdh->cbskh', x, kv)) as [tf.Tensor, tf.Tensor];
  return [tf.einsum('btd,ndh->btnh', x, q), k, v] as const;
}

function attention(
  scope: Scope,
  x: tf.Tensor,
  { positions, mask }: Places,
  config: BlockConfig,
  recall: Recall,
): tf.Tensor {
  const { num_heads, num_kv_heads, width, head_dim, attn_logits_softcap } = config;
  const [batch, length] = x.shape as [number, number, number];
  const [q, k, v] = queriesKeysValues(scope, x, config);
  const { key, value } = recall({ key: rotate(k, positions), value: v });
  const factor =
    (config.query_pre_attn_norm === 'rsqrt_head_dim' ? head_dim : Math.floor(width / num_heads)) ** -0.5;
  const scaled = tf.mul(rotate(q, positions), factor);
  const grouped = tf.reshape(scaled, [batch, length, num_kv_heads, num_heads / num_kv_heads, head_dim]);
  const logits = softcap(tf.einsum('btkgh,bskh->bkgts', grouped, key), attn_logits_softcap);
  const seen = tf.expandDims(tf.expandDims(mask, 1), 1);
  const probs = tf.softmax(tf.where(seen, logits, never));
  const encoded = tf.reshape(tf.einsum('bkgts,bskh->btkgh', probs, value), [
    batch,
    length,
    num_heads,
    head_dim,
  ]);
  const out = kernel(scope.child('attn_vec_einsum'), [num_heads, head_dim, width], [0, 1], [2]);
  return tf.einsum('btnh,nhd->btd', encoded, out);
}

function gatedMlp(scope: Scope, x: tf.Tensor, { width, mlp_dim }: BlockConfig): tf.Tensor {
  const gating = scope.param('gating_einsum', [2, width, mlp_dim], kernelInit([1], [0, 2]));
  const [gate, up] = tf.unstack(gating) as [tf.Tensor, tf.Tensor];
  const linear = scope.param('linear', [mlp_dim, width], kernelInit([0], [1]));
  const hidden = tf.mul(tf.gelu(tf.einsum('btd,df->btf', x, gate)), tf.einsum('btd,df->btf', x, up));
  return tf.einsum('btf,fd->btd', hidden, linear);
}

/**
 * Attention and a gated MLP, each added to what came in.
 * @param x float [batch, length, width]
 */
export function gemmaBlock(
  scope: Scope,
  x: tf.Tensor,
  places: Places,
  config: BlockConfig,
  train: boolean,
  recall: Recall = (own) => own,
): tf.Tensor {
  const drop = (y: tf.Tensor) =>
    dropout(scope.child('drop'), y, {
      rate: config.dropout,
      broadcastDims: config.dropout_bdims,
      draws: 2,
      train,
    });
  const after = (name: string, y: tf.Tensor) => (config.post_norms ? rmsNorm(scope.child(name), y) : y);
  const tokens = tf.shardingConstraint(x, ['act_batch', 'act_len', 'act_emb']);
  const attended = attention(
    scope.child('attn'),
    rmsNorm(scope.child('pre_attention_norm'), tokens),
    places,
    config,
    recall,
  );
  const y = tf.add(drop(after('post_attention_norm', attended)), tokens);
  const mixed = gatedMlp(scope.child('mlp'), rmsNorm(scope.child('pre_ffw_norm'), y), config);
  return tf.add(y, after('post_ffw_norm', drop(mixed)));
}
