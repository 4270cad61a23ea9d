// MLP-Mixer (Tolstikhin et al., arXiv:2105.01601), as Big Vision has it.

import type { Model, ModelResult } from '../../core/extensions';
import { zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { conv2d, dense, imageOf, layerNorm } from '../layers';
import { loadMixer } from './checkpoint';
import { type MixerConfig, type MixerOptions, resolveOptions } from './options';

/**
 * Image to logits, or to the mean token without a head. `image`: [batch, height, width, channels]. Images that aren't a
 * multiple of the patch are padded with zeros, as by SAME; they have to be of the size that it was initialised with.
 * out: stem, input_tokens, block_0, block_1, ..., pre_logits, logits
 */
export function mixer(options: MixerOptions): Model {
  const config = resolveOptions(options);
  return {
    apply: (scope, batch, { train }) => applyMixer(config, scope, imageOf(scope, batch), train),
    load: (init, file: string, { dont_load }) => loadMixer(init, file, dont_load),
  };
}

function applyMixer(config: MixerConfig, scope: Scope, image: tf.Tensor, train: boolean): ModelResult {
  const { patch_size: kernel, hidden_dim: features, num_blocks, stoch_depth, num_classes } = config;
  const [, height, width] = image.shape as [number, number, number, number];
  const whole = height % kernel[0] === 0 && width % kernel[1] === 0;
  const stem = conv2d(scope.child('stem'), image, {
    features,
    kernel,
    strides: kernel,
    padding: whole ? 'VALID' : 'SAME',
  });
  const [batch, rows, columns] = stem.shape as [number, number, number, number];
  let tokens = tf.reshape(stem, [batch, rows * columns, features]);
  const out: NestedRecord<tf.Tensor> = { stem, input_tokens: tokens };
  for (let i = 0; i < num_blocks; i++) {
    const dropRate = (i / Math.max(num_blocks - 1, 1)) * stoch_depth;
    tokens = mixerBlock(scope.child(`MixerBlock_${i}`), tokens, config, train ? dropRate : 0);
    out[`block_${i}`] = tokens;
  }
  const pooled = tf.mean(layerNorm(scope.child('pre_head_layer_norm'), tokens), 1);
  out.pre_logits = pooled;
  if (!num_classes) return { output: pooled, out };
  const logits = dense(scope.child('head'), pooled, num_classes, { kernelInit: zeros });
  return { output: logits, out: { ...out, logits } };
}

/**
 * x + tokens mixed, then + channels mixed; each branch is left out with probability `dropRate` (arXiv:1603.09382), for
 * each example on its own and without rescaling the others.
 * @param x float [batch, tokens, channels]
 */
function mixerBlock(
  scope: Scope,
  x: tf.Tensor,
  { tokens_mlp_dim, channels_mlp_dim }: MixerConfig,
  dropRate: number,
): tf.Tensor {
  const kept = (branch: tf.Tensor) => {
    if (dropRate === 0) return branch;
    const dropped = tf.random.bernoulli(scope.rng('dropout'), dropRate, [x.shape[0] as number, 1, 1]);
    return tf.mul(branch, tf.sub(1, tf.cast(dropped, 'float32')));
  };
  const swap = (y: tf.Tensor) => tf.transpose(y, [0, 2, 1]);
  const acrossTokens = swap(layerNorm(scope.child('LayerNorm_0'), x));
  const mixed = swap(mlp(scope.child('token_mixing'), acrossTokens, tokens_mlp_dim));
  const y = tf.add(x, kept(mixed));
  const normed = layerNorm(scope.child('LayerNorm_1'), y);
  return tf.add(y, kept(mlp(scope.child('channel_mixing'), normed, channels_mlp_dim)));
}

/** Dense, GELU (tanh approximation), dense back to the width of x. */
function mlp(scope: Scope, x: tf.Tensor, hidden: number): tf.Tensor {
  const y = tf.gelu(dense(scope.child('Dense_0'), x, hidden));
  return dense(scope.child('Dense_1'), y, x.shape.at(-1) as number);
}
