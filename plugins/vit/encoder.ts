// The transformer encoder and the attention-pooling head: for images here, and for other models' tokens.

import { xavierUniform } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { mapTree, type NestedRecord, type Tree } from '../../core/tree';
import { dropout, layerNorm, mlpBlock, multiHeadAttention } from '../layers';

export interface BlockOptions {
  readonly num_heads: number;
  /** Null: 4 times the width. */
  readonly mlp_dim?: number | null;
  readonly dropout?: number;
  readonly dtype_mm?: tf.StorageType;
  /** Bool, broadcast against [batch, heads, queries, keys]: false hides a token from another. */
  readonly mask?: tf.Tensor;
}

export interface EncoderOptions extends BlockOptions {
  readonly depth: number;
  readonly scan?: boolean;
  /** With scan: what the backward pass may keep of a block. */
  readonly remat_policy?: tf.RematPolicy;
}

/** A tensor and the named ones on the way to it. */
export interface WithIntermediates {
  readonly x: tf.Tensor;
  readonly out: NestedRecord<tf.Tensor>;
}

/** Logical names of the dimensions of tokens: by default the batch is split and the rest isn't. */
const tokenAxes = ['act_batch', 'act_len', 'act_emb'];

/**
 * One block (pre-LN): x + attention(norm(x)), then x + mlp(norm(x)), with dropout on each branch.
 * @param x float [batch, length, width]
 * @returns the same shape; out: sa, +sa, mlp, +mlp
 */
function encoderBlock(scope: Scope, x: tf.Tensor, options: BlockOptions, train: boolean): WithIntermediates {
  const { num_heads: heads, mlp_dim: mlpDim, dropout: rate = 0, dtype_mm: dtype, mask } = options;
  const drop = (name: string, y: tf.Tensor) => dropout(scope.child(name), y, { rate, train });

  const input = tf.shardingConstraint(x, tokenAxes);
  const q = layerNorm(scope.child('LayerNorm_0'), input);
  const attention = multiHeadAttention(
    scope.child('MultiHeadDotProductAttention_0'),
    { q },
    { heads, kernelInit: xavierUniform(), dtype, mask },
  );
  const sa = tf.shardingConstraint(attention, tokenAxes);
  const attended = tf.add(input, drop('Dropout_0', sa));

  const y = layerNorm(scope.child('LayerNorm_1'), attended);
  const projected = mlpBlock(scope.child('MlpBlock_0'), y, { mlpDim, dropout: rate, train, dtype });
  const mlp = tf.shardingConstraint(projected, tokenAxes);
  const result = tf.add(attended, drop('Dropout_1', mlp));
  return { x: result, out: { sa, '+sa': attended, mlp, '+mlp': result } };
}

/**
 * Blocks and a final layer norm. With `scan` the blocks' parameters are stacked under `encoderblock`, and a compiled
 * program has one block, which it runs `depth` times; the numbers are those of separate blocks.
 * @param x float [batch, length, width]
 * @returns float32 [batch, length, width]; out: block00, block01, ..., and pre_ln without scan
 */
export function encoder(
  scope: Scope,
  x: tf.Tensor,
  options: EncoderOptions,
  train = false,
): WithIntermediates {
  const { x: tokens, out } = options.scan
    ? scannedBlocks(scope, x, options, train)
    : separateBlocks(scope, x, options, train);
  return { x: layerNorm(scope.child('encoder_norm'), tokens), out };
}

const blockName = (i: number) => `block${String(i).padStart(2, '0')}`;

function separateBlocks(
  scope: Scope,
  x: tf.Tensor,
  options: EncoderOptions,
  train: boolean,
): WithIntermediates {
  const out: NestedRecord<tf.Tensor> = {};
  let tokens = x;
  for (let i = 0; i < options.depth; i++) {
    const result = encoderBlock(scope.child(`encoderblock_${i}`), tokens, options, train);
    out[blockName(i)] = result.out;
    tokens = result.x;
  }
  return { x: tokens, out: { ...out, pre_ln: tokens } };
}

/** As to jax.checkpoint, which saves nothing if it has no policy: everything_saveable is the one that keeps all. */
export const scanRemat = (policy: tf.RematPolicy): Exclude<tf.RematPolicy, 'none'> =>
  policy === 'none' ? 'nothing_saveable' : policy;

function scannedBlocks(
  scope: Scope,
  x: tf.Tensor,
  options: EncoderOptions,
  train: boolean,
): WithIntermediates {
  const { depth, remat_policy: policy = 'none' } = options;
  const remat = scanRemat(policy);
  const block = (layer: Scope, tokens: tf.Tensor) => {
    const result = encoderBlock(layer, tokens, options, train);
    return [result.x, result.out as Tree<tf.Tensor>] as const;
  };
  const [tokens, stacked] = scope.scan('encoderblock', depth, block, x, { remat });
  const parts = new Map<tf.Tensor, tf.Tensor[]>();
  mapTree<tf.Tensor, void, never>(stacked, (value) => void parts.set(value, tf.unstack(value)));
  const out = Array.from({ length: depth }, (_, i) => [
    blockName(i),
    mapTree<tf.Tensor, tf.Tensor>(stacked, (value) => (parts.get(value) as tf.Tensor[])[i] as tf.Tensor),
  ]);
  return { x: tokens, out: Object.fromEntries(out) as NestedRecord<tf.Tensor> };
}

/**
 * Multi-head attention pooling (arXiv:1810.00825): a learned probe attends to the tokens, and an MLP follows; always
 * in float32.
 * @param x float32 [batch, length, width]
 * @returns float32 [batch, width]
 */
export function mapHead(
  scope: Scope,
  x: tf.Tensor,
  { num_heads: heads, mlp_dim: mlpDim, mask }: BlockOptions,
): tf.Tensor {
  const [batch, , width] = x.shape as [number, number, number];
  const probe = scope.param('probe', [1, 1, width], xavierUniform());
  const pooled = multiHeadAttention(
    scope.child('MultiHeadDotProductAttention_0'),
    { q: tf.broadcastTo(probe, [batch, 1, width]), kv: x },
    { heads, kernelInit: xavierUniform(), mask },
  );
  const y = mlpBlock(scope.child('MlpBlock_0'), layerNorm(scope.child('LayerNorm_0'), pooled), { mlpDim });
  return tf.reshape(tf.add(pooled, y), [batch, width]);
}
