// BERT's encoder (arXiv:1810.04805) as a text tower, with Flaxformer's parameters, as LiT used it (arXiv:2111.07991).

import { z } from 'zod';
import type { Batch, CallOptions, Model, ModelResult } from '../../core/extensions';
import { truncatedNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dense, dropout, embed, layerNorm, numClasses } from '../layers';
import { loadBert } from './bert-checkpoint';
import { tokensOf } from './tokens';

const size = z.int().min(1).optional();

export const bertOptions = z.strictObject({
  config: z.enum(['base', 'large']).describe('12 blocks of width 768, or 24 of width 1024'),
  num_classes: numClasses('the representation of the first token'),
  head_zeroinit: z.boolean().default(true).describe('the kernel of the head begins as zeros'),
  hidden_size: size.describe("width of the tokens; default: the config's"),
  intermediate_dim: size.describe("width inside the MLPs; default: the config's"),
  num_hidden_layers: size.describe("number of blocks; default: the config's"),
  num_attention_heads: size.describe("attention heads, a divisor of the width; default: the config's"),
  vocab_size: z.int().min(1).default(30_522).describe('number of tokens'),
  max_length: z.int().min(1).default(512).describe('positions that there are embeddings of'),
  dropout_rate: z.number().min(0).lt(1).default(0.1).describe('in training, of every block and of attention'),
});
export type BertOptions = z.output<typeof bertOptions>;

const sizes = {
  base: { hidden_size: 768, intermediate_dim: 3072, num_hidden_layers: 12, num_attention_heads: 12 },
  large: { hidden_size: 1024, intermediate_dim: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
};
type Sizes = Omit<BertOptions, 'config'> & (typeof sizes)['base'];

const kernelInit = truncatedNormal(0.02);
const norm = { eps: 1e-12 };
const segments = 2;
/** What a hidden token's score gets added. */
const hidden = -1e10;

/** The model of these options. */
export function bert({ config, ...options }: BertOptions): Model {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const sized = { ...sizes[config], ...given } as Sizes;
  return {
    apply: (scope, batch, call) => applyBert(sized, scope, batch, call),
    load: loadBert,
  };
}

/**
 * Tokens to the representation of the first one, and through the head if there is one. Padding (0) is seen by nobody.
 * @param batch `text`, or `labels` as preprocessing names it: int32 [batch, length]
 * @returns float32 [batch, classes]; out: transformed [batch, length, width], pre_logits, logits
 */
function applyBert(options: Sizes, scope: Scope, batch: Batch, { train }: CallOptions): ModelResult {
  const { hidden_size: width, num_classes: classes, head_zeroinit } = options;
  const tokens = tokensOf(scope, batch);
  const transformed = encode(options, scope.child('BertEncoder_0'), tokens, train);
  const pre_logits = tf.reshape(tf.slice(transformed, [0, 0, 0], [-1, 1, -1]), [-1, width]);
  const out = { transformed, pre_logits };
  if (!classes) return { output: pre_logits, out };
  const logits = dense(scope.child('head'), pre_logits, classes, head_zeroinit ? { kernelInit: zeros } : {});
  return { output: logits, out: { ...out, logits } };
}

function encode(options: Sizes, scope: Scope, tokens: tf.Tensor, train: boolean): tf.Tensor {
  const { hidden_size: features, vocab_size, max_length, num_hidden_layers, dropout_rate: rate } = options;
  const [batch, length] = tokens.shape as [number, number];
  const tables = scope.child('embedder');
  const table = (name: string, ids: tf.Tensor, size: number) =>
    embed(tables.child(`embedders_${name}`), ids, { size, features, init: kernelInit });
  const embedded = tf.addN([
    table('token_ids', tokens, vocab_size),
    tf.broadcastTo(table('position_ids', tf.range(0, length, 1, 'int32'), max_length), [
      batch,
      length,
      features,
    ]),
    table('segment_ids', tf.zeros([batch, length], 'int32'), segments),
  ]);
  const normed = layerNorm(scope.child('layer_norm'), embedded, norm);
  const seen = tf.notEqual(tokens, tf.scalar(0, 'int32'));
  const pairs = tf.logicalAnd(tf.expandDims(seen, 2), tf.expandDims(seen, 1));
  const bias = tf.expandDims(tf.where(pairs, 0, hidden), 1);

  const blocks = scope.child('encoder_block').child('layer_sequence');
  let x = dropout(scope.child('embeddings_dropout'), normed, { rate, train });
  for (let i = 0; i < num_hidden_layers; i++) x = block(options, blocks.child(`layers_${i}`), x, bias, train);
  return x;
}

/** Each half adds to its input and is normalised after that. */
function block(options: Sizes, scope: Scope, x: tf.Tensor, bias: tf.Tensor, train: boolean): tf.Tensor {
  const { hidden_size: width, intermediate_dim, dropout_rate: rate } = options;
  const ended = (half: Scope, input: tf.Tensor, result: tf.Tensor) => {
    const projected = dense(half.child('dense_layer'), result, width, { kernelInit });
    const kept = dropout(half.child('dropout'), projected, { rate, train });
    return layerNorm(half.child('layer_norm'), tf.add(kept, input), norm);
  };
  const first = scope.child('attention_block');
  const attended = ended(first, x, attention(options, first.child('attention_layer'), x, bias, train));
  const second = scope.child('mlp_block');
  const wide = dense(second.child('mlp').child('dense_layer'), attended, intermediate_dim, { kernelInit });
  return ended(second, attended, tf.gelu(wide));
}

/** Attention without the projection of its result. @param bias float [batch, 1, length, length] */
function attention(
  { hidden_size: width, num_attention_heads: heads, dropout_rate: rate }: Sizes,
  scope: Scope,
  x: tf.Tensor,
  bias: tf.Tensor,
  train: boolean,
): tf.Tensor {
  const [batch, length] = x.shape as [number, number, number];
  const byHead = (name: string) => {
    const projected = dense(scope.child(name), x, width, { kernelInit });
    return tf.transpose(tf.reshape(projected, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
  };
  const query = tf.div(byHead('query'), Math.sqrt(width / heads));
  const scores = tf.add(tf.matMul(query, byHead('key'), false, true), bias);
  const weights = dropout(scope, tf.softmax(scores), { rate, train });
  const attended = tf.transpose(tf.matMul(weights, byHead('value')), [0, 2, 1, 3]);
  return tf.reshape(attended, [batch, length, width]);
}
