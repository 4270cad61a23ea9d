// FlexiViT (Beyer et al., arXiv:2212.08013): one ViT for all patch sizes.

import { z } from 'zod';
import type { HostArray } from '../../core/array';
import type { Batch, CallOptions, Model, ModelResult, ParamArrays } from '../../core/extensions';
import { lecunNormal, normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { conv2d, dense, imageOf } from '../../plugins/layers';
import { decodeVariant, encoder, loadVit, mapHead, posemb, vitOptions } from '../../plugins/vit';
import { releasedFlexi } from './released';
import { patchembResizes, resamplePatchembOnHost, resizePatchemb, resizePosemb } from './resample';

const positive = z.number().int().min(1);
const { num_classes, variant, width, depth, mlp_dim, num_heads, posemb: posembType } = vitOptions.shape;

export const flexiOptions = z.strictObject({
  num_classes,
  variant,
  width,
  depth,
  mlp_dim,
  num_heads,
  posemb: posembType,
  head_zeroinit: vitOptions.shape.head_zeroinit,
  pool_type: z
    .enum(['gap', 'map', 'tok'])
    .default('gap')
    .describe('mean, attention pooling, or a class token'),
  patch_size: z
    .tuple([positive, positive])
    .optional()
    .describe("patch that the embedding is stored for; default: the variant's, or [32, 32]"),
  posemb_size: z
    .tuple([positive, positive])
    .default([7, 7])
    .describe('grid that position embeddings are stored for'),
  patchemb_resize: z
    .enum(patchembResizes)
    .default('pi')
    .describe('how the embedding is fitted to other patches; pi is the pseudo-inverse, as in the original'),
  seqhw: positive
    .nullable()
    .default(null)
    .describe('tokens along each side where a call gives none; null: what patch_size makes of the image'),
});
type FlexiOptions = z.output<typeof flexiOptions>;

const defaults = {
  patch_size: [32, 32] as [number, number],
  width: 768,
  depth: 12,
  mlp_dim: null,
  num_heads: 12,
};

/** Defaults, overridden by the variant's sizes, overridden by what is given. */
function resolve({ variant: name, ...options }: FlexiOptions) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...(name ? decodeVariant(name) : {}), ...given } as Omit<FlexiOptions, 'variant'> &
    Required<Pick<FlexiOptions, 'patch_size' | 'width' | 'depth' | 'num_heads'>>;
}
type FlexiConfig = ReturnType<typeof resolve>;

/** The model of these options. */
export function flexiVit(options: FlexiOptions): Model {
  const config = resolve(options);
  return {
    apply: (scope, batch, call) => applyFlexiVit(config, scope, batch, call),
    callOptions: z.strictObject({ seqhw: positive.optional() }),
    async load(init, file: string, load) {
      const params = await loadVit(init, file, { ...load, scan: false, released: releasedFlexi });
      const embedding = params.embedding as ParamArrays;
      const kernel = resamplePatchembOnHost(embedding.kernel as HostArray, config.patch_size);
      return { ...params, embedding: { ...embedding, kernel } };
    },
  };
}

/** The patch that gives `seqhw` tokens along each side of an image. */
function patchFor(scope: Scope, image: tf.Tensor, seqhw: number | null, stored: [number, number]) {
  if (seqhw === null) return stored;
  const [, height, width] = image.shape as [number, number, number, number];
  const patch: [number, number] = [Math.floor(height / seqhw), Math.floor(width / seqhw)];
  if (Math.min(...patch) > 0) return patch;
  throw scope.shapeError(
    `an image of ${height} x ${width} has no ${seqhw} patches along each side`,
    'choose a smaller seqhw, or resize the images in pp.',
  );
}

/**
 * Image to logits, or to the pooled representation without a head.
 * @param batch `image`: [batch, height, width, channels]
 * @param call `seqhw`: tokens along each side; each value is a program of its own
 * @returns float32 [batch, classes]; out: stem, with_posemb, encoder/..., encoded, head_input, pre_logits_2d,
 * pre_logits, logits_2d, logits
 */
function applyFlexiVit(config: FlexiConfig, scope: Scope, batch: Batch, call: CallOptions): ModelResult {
  const { width: features, patch_size: stored, posemb_size: grid, pool_type: pool } = config;
  const image = imageOf(scope, batch);
  const seqhw = (call.seqhw as number | undefined) ?? config.seqhw;
  const patch = patchFor(scope, image, seqhw, stored);

  const stem = conv2d(scope.child('embedding'), image, {
    features,
    kernel: stored,
    strides: patch,
    padding: 'VALID',
    kernelInit: normal(1 / Math.sqrt(features)),
    kernelTransform: (kernel) => resizePatchemb(kernel, patch, config.patchemb_resize),
  });
  const [size, rows, columns] = stem.shape as [number, number, number];
  const length = rows * columns;
  const positions = posemb(scope, { type: config.posemb, grid, width: features });
  const withPosemb = tf.add(
    tf.reshape(stem, [size, length, features]),
    resizePosemb(positions, grid, [rows, columns]),
  );

  const cls = pool === 'tok' ? [scope.param('cls', [1, 1, features], zeros)] : [];
  const tokens = tf.concat(
    [...cls.map((token) => tf.broadcastTo(token, [size, 1, features])), withPosemb],
    1,
  );
  const { x: encoded, out: inside } = encoder(scope.child('Transformer'), tokens, config, call.train);

  const pooled = {
    map: () => mapHead(scope.child('MAPHead_0'), encoded, config),
    gap: () => tf.mean(encoded, 1),
    tok: () => tf.reshape(tf.slice(encoded, [0, 0, 0], [size, 1, features]), [size, features]),
  }[pool]();
  const patches = tf.slice(encoded, [0, cls.length, 0], [size, length, features]);
  const grid2d = tf.reshape(patches, [size, rows, columns, features]);
  const out = {
    stem,
    with_posemb: withPosemb,
    encoder: inside,
    encoded,
    head_input: pooled,
    pre_logits_2d: grid2d,
    pre_logits: pooled,
  };
  const { num_classes: classes, head_zeroinit } = config;
  if (!classes) return { output: pooled, out };

  const head = (x: tf.Tensor) =>
    dense(scope.child('head'), x, classes, { kernelInit: head_zeroinit ? zeros : lecunNormal() });
  const logits = head(pooled);
  return { output: logits, out: { ...out, logits_2d: head(grid2d), logits } };
}
