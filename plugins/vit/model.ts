// The Vision Transformer (Dosovitskiy et al., "An Image is Worth 16x16 Words", arXiv:2010.11929), as Big Vision has it.

import type { Batch, CallOptions, Model, ModelResult } from '../../core/extensions';
import { lecunNormal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { conv2d, dense, dropout, imageOf } from '../layers';
import { loadVit } from './checkpoint';
import { encoder, mapHead } from './encoder';
import { type VitConfig, type VitOptions, resolveOptions } from './options';
import { posemb } from './posemb';

/** The model of these options. */
export function vit(options: VitOptions): Model {
  const config = resolveOptions(options);
  return {
    apply: (scope, batch, call) => applyVit(config, scope, batch, call),
    load: (init, file: string, load) => loadVit(init, file, { ...load, scan: config.scan }),
  };
}

/**
 * Image to logits, or to the pooled representation without a head.
 * @param batch `image`: [batch, height, width, channels], any dtype
 * @returns float32 [batch, classes] ([batch, tokens, classes] without pooling); out: stem, with_posemb, encoder/...,
 * encoded, head_input, pre_logits_2d, pre_logits, logits_2d, logits
 */
export function applyVit(config: VitConfig, scope: Scope, batch: Batch, { train }: CallOptions): ModelResult {
  const { width, patch_size: kernel, pool_type: pool, dtype_mm: dtype } = config;
  const out: NestedRecord<tf.Tensor> = {};
  const image = imageOf(scope, batch);

  const stem = conv2d(scope.child('embedding'), image, {
    features: width,
    kernel,
    strides: kernel,
    padding: 'VALID',
    dtype,
  });
  const [size, rows, columns] = stem.shape as [number, number, number];
  const patches = tf.reshape(stem, [size, rows * columns, width]);
  const positions = posemb(scope, { type: config.posemb, grid: [rows, columns], width, dtype });
  const withPosemb = tf.add(patches, positions);
  Object.assign(out, { stem, with_posemb: withPosemb });

  const tokens = pool === 'tok' ? withClassToken(scope, withPosemb, dtype) : withPosemb;
  const kept = dropout(scope.child('Dropout_0'), tokens, { rate: config.dropout, train });
  const { x: encoded, out: inside } = encoder(scope.child('Transformer'), kept, config, train);
  Object.assign(out, { encoder: inside, encoded });

  const pooled = poolTokens(scope, encoded, config);
  if (pool !== 'none') out.head_input = pooled;
  const grid = pool === 'tok' ? tf.slice(encoded, [0, 1, 0], [size, rows * columns, width]) : encoded;
  const grid2d = tf.reshape(grid, [size, rows, columns, width]);

  // The same layers take the pooled representation to logits, and each token.
  const represent = representation(scope, config);
  const preLogits = represent(pooled);
  const preLogits2d = represent(grid2d);
  Object.assign(out, { pre_logits_2d: preLogits2d, pre_logits: preLogits });
  if (!config.num_classes) return { output: preLogits, out };

  const { num_classes: classes, head_zeroinit } = config;
  const head = (x: tf.Tensor) =>
    dense(scope.child('head'), x, classes, { kernelInit: head_zeroinit ? zeros : lecunNormal() });
  const logits = head(preLogits);
  Object.assign(out, { logits_2d: head(preLogits2d), logits });
  return { output: logits, out };
}

/** Puts a learned token in front. Parameter: `cls` [1, 1, width]. */
function withClassToken(scope: Scope, tokens: tf.Tensor, dtype: tf.StorageType): tf.Tensor {
  const [size, , width] = tokens.shape as [number, number, number];
  const cls = scope.param('cls', [1, 1, width], zeros, dtype);
  return tf.concat([tf.broadcastTo(cls, [size, 1, width]), tokens], 1);
}

/** [batch, length, width] to [batch, width], or as it is. */
function poolTokens(scope: Scope, encoded: tf.Tensor, config: VitConfig): tf.Tensor {
  const [size, , width] = encoded.shape as [number, number, number];
  switch (config.pool_type) {
    case 'map':
      return mapHead(scope.child('MAPHead_0'), encoded, config);
    case 'gap':
      return tf.mean(encoded, 1);
    case '0':
    case 'tok':
      return tf.reshape(tf.slice(encoded, [0, 0, 0], [size, 1, width]), [size, width]);
    case 'none':
      return encoded;
  }
}

/** The layer before the head, if there is one. Parameters: `pre_logits`. */
export function representation(
  scope: Scope,
  { rep_size, width }: Pick<VitConfig, 'rep_size' | 'width'>,
): (x: tf.Tensor) => tf.Tensor {
  const features = rep_size === true ? width : Number(rep_size);
  if (features === 0) return (x) => x;
  return (x) => tf.tanh(dense(scope.child('pre_logits'), x, features));
}
