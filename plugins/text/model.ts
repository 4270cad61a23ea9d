// A transformer encoder for text, as two-tower models use it: like CLIP's (arXiv:2103.00020), but every token sees every
// other.

import type { Batch, CallOptions, Model, ModelResult } from '../../core/extensions';
import { normal } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { attend, dense, embed } from '../layers';
import { decodeVariant, encoder, mapHead } from '../vit';
import { loadText } from './checkpoint';
import type { TextConfig, TextOptions } from './options';
import { tokensOf } from './tokens';

const sizes = { width: 512, depth: 12, mlp_dim: 2048, num_heads: 8 };

/** The model of these options. */
export function textTransformer({ variant, ...options }: TextOptions): Model {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config = { ...sizes, ...(variant ? decodeVariant(variant) : {}), ...given } as TextConfig;
  return {
    apply: (scope, batch, call) => applyText(config, scope, batch, call),
    load: loadText,
  };
}

/**
 * Tokens to the pooled representation, and through the head if there is one.
 * @param batch `text`, or `labels` as preprocessing names it: int32 [batch, length]
 * @returns float32 [batch, classes]; out: embedded, transformed, block00, ..., vocab_logits, pre_logits, logits
 */
function applyText(config: TextConfig, scope: Scope, batch: Batch, { train }: CallOptions): ModelResult {
  const { width, num_classes: classes } = config;
  const tokens = tokensOf(scope, batch);
  const table = { size: config.vocab_size, features: width };
  const embedded = embed(scope.child('Embed_0'), tokens, table);
  const positions = scope.param(
    'pos_embedding',
    [1, tokens.shape[1] as number, width],
    normal(1 / Math.sqrt(width)),
  );
  const { x, out: inside } = encoder(scope.child('Encoder_0'), tf.add(embedded, positions), config, train);
  const pooled = pool(scope, x, config);
  const out: NestedRecord<tf.Tensor> = {
    embedded,
    transformed: x,
    ...inside,
    vocab_logits: attend(scope.child('Embed_0'), x, table),
    pre_logits: pooled,
  };
  if (!classes) return { output: pooled, out };
  const logits = dense(scope.child('head'), pooled, classes);
  return { output: logits, out: { ...out, logits } };
}

/** [batch, length, width] to [batch, width]. */
function pool(scope: Scope, x: tf.Tensor, config: TextConfig): tf.Tensor {
  const [batch, length, width] = x.shape as [number, number, number];
  const token = (at: number) => tf.reshape(tf.slice(x, [0, at, 0], [batch, 1, width]), [batch, width]);
  switch (config.pool_type) {
    case 'last':
      return token(length - 1);
    case 'first':
      return token(0);
    case 'mean':
    case 'gap':
      return tf.mean(x, 1);
    case 'max':
    case 'gmp':
      return tf.max(x, 1);
    case 'map':
      return mapHead(scope.child('MAPHead_0'), x, config);
  }
}
