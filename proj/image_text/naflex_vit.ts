// NaFlex: a ViT for images of any aspect and resolution, as sequences of patches (SigLIP 2, arXiv:2502.14786; after
// NaViT, arXiv:2307.06304, and FlexiViT, arXiv:2212.08013).

import { z } from 'zod';
import type { Batch, CallOptions, Model, ModelResult } from '../../core/extensions';
import { lecunNormal, normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import type { Registrar } from '../../core/plugin';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { dense, layerNorm } from '../../plugins/layers';
import { encoder, loadVit, mapHead, representation, resolveOptions, vitOptions } from '../../plugins/vit';

const shared = vitOptions.omit({ patch_size: true, dropout: true, posemb: true, pool_type: true });

export const naflexVitOptions = shared.extend({
  pool_type: z
    .enum(['gap', 'map', 'max', 'none'])
    .default('gap')
    .describe('mean of the patches, attention pooling, maximum of the patches, or no pooling'),
  posemb: z
    .string()
    .regex(/^learn_2d(\([1-9]\d*\))?$/, { error: 'expected learn_2d or learn_2d(SIDE)' })
    .default('learn_2d(64)')
    .describe('learn_2d(SIDE): learned positions, for images of at most SIDE patches a side (learn_2d: 64)'),
  nposemb: z.int().min(1).describe('side of the learned grid of positions, in patches'),
  patchln_pre: z.boolean().default(false).describe('layer norm of the patches before they are embedded'),
  patchln_post: z
    .boolean()
    .default(false)
    .describe('layer norm of the embedded patches; with both it is Dual PatchNorm (arXiv:2302.01327)'),
});
export type NaflexVitOptions = z.output<typeof naflexVitOptions>;

/** What the model sees of images: each is a list of patches that is padded to one length. */
interface Patches {
  /** float [batch, patches, values of a patch] */
  readonly values: tf.Tensor;
  /** bool [batch, patches]: not padding */
  readonly real: tf.Tensor;
  /** int32 [batch, patches]: places in the image, in patches */
  readonly rows: tf.Tensor;
  readonly columns: tf.Tensor;
}

/** The model of these options. A batch has the four parts that `tuplify` makes of an image: image/0 to image/3. */
export function naflexVit(options: NaflexVitOptions): Model {
  return {
    apply: (scope, batch, call) => applyNaflexVit(options, scope, patchesOf(scope, batch), call),
    load: (init, file: string, load) => loadVit(init, file, { ...load, scan: options.scan }),
  };
}

function applyNaflexVit(
  options: NaflexVitOptions,
  scope: Scope,
  patches: Patches,
  { train }: CallOptions,
): ModelResult {
  const { num_classes: classes, head_zeroinit, dtype_mm: dtype, patchln_pre, patchln_post } = options;
  const config = resolveOptions({ ...options, dropout: 0, posemb: 'learn', pool_type: 'gap' });
  const out: NestedRecord<tf.Tensor> = {};

  const values = tf.castStorage(patches.values, dtype);
  const normed = patchln_pre ? layerNorm(scope.child('patchln_pre'), values) : values;
  const stem = dense(scope.child('embedding'), normed, config.width, { dtype });
  const tokens = patchln_post ? layerNorm(scope.child('patchln_post'), stem) : stem;
  const withPosemb = tf.add(tokens, positions(scope, patches, { ...options, width: config.width }));
  Object.assign(out, { stem, with_posemb: withPosemb });

  const [batch, length] = patches.real.shape as [number, number];
  const asKey = tf.reshape(patches.real, [batch, 1, 1, length]);
  const mask = tf.logicalAnd(asKey, tf.reshape(patches.real, [batch, 1, length, 1]));
  const { x: encoded, out: inside } = encoder(
    scope.child('Transformer'),
    withPosemb,
    { ...config, mask },
    train,
  );
  const pooled =
    options.pool_type === 'map'
      ? mapHead(scope.child('MAPHead_0'), encoded, { ...config, mask: asKey })
      : pool[options.pool_type](encoded, tf.expandDims(patches.real, 2));
  const preLogits = representation(scope, config)(pooled);
  Object.assign(out, { encoder: inside, encoded, head_input: pooled, pre_logits: preLogits });
  if (!classes) return { output: preLogits, out };

  const kernelInit = head_zeroinit ? zeros : lecunNormal();
  const logits = dense(scope.child('head'), preLogits, classes, { kernelInit });
  return { output: logits, out: { ...out, logits } };
}

const lowest = -3.4028234663852886e38;

/** Of float32 [batch, patches, width], without what isn't `real` (bool [batch, patches, 1]). */
const pool: Readonly<Record<'gap' | 'max' | 'none', (x: tf.Tensor, real: tf.Tensor) => tf.Tensor>> = {
  gap(x, real) {
    const weights = tf.cast(real, 'float32');
    return tf.div(tf.sum(tf.mul(x, weights), 1), tf.sum(weights, 1));
  },
  max: (x, real) => tf.max(tf.where(real, x, lowest), 1),
  none: (x) => x,
};

/**
 * The embedding of each patch's place: the learned grid, resized to the image's own size in patches (bilinear,
 * antialiased where it shrinks). Resizing is a product of a matrix for rows and one for columns, of which only the
 * lines of the patches that are there are made. Not a number before the first place and beyond the
 * largest side, as in the original.
 * Parameter: `pos_embedding` [nposemb, nposemb, width].
 * @returns float [batch, patches, width]
 */
function positions(
  scope: Scope,
  { rows, columns }: Patches,
  { nposemb, width, dtype_mm, posemb }: NaflexVitOptions & { readonly width: number },
): tf.Tensor {
  const grid = scope.param(
    'pos_embedding',
    [nposemb, nposemb, width],
    normal(1 / Math.sqrt(width)),
    dtype_mm,
  );
  const [batch, length] = rows.shape as [number, number];
  const weights = tf.mul(
    tf.expandDims(resizeWeights(rows, nposemb), 3),
    tf.expandDims(resizeWeights(columns, nposemb), 2),
  );
  const resized = tf.matMul(
    tf.reshape(weights, [batch * length, nposemb * nposemb]),
    tf.reshape(tf.castStorage(grid, 'float32'), [nposemb * nposemb, width]),
  );
  const side = Number(/\d+\)$/.exec(posemb)?.[0].slice(0, -1) ?? 64);
  const inside = tf.logicalAnd(
    tf.less(tf.maximum(rows, columns), tf.scalar(side, 'int32')),
    tf.greaterEqual(tf.minimum(rows, columns), tf.scalar(0, 'int32')),
  );
  const embedded = tf.where(tf.expandDims(inside, 2), tf.reshape(resized, [batch, length, width]), NaN);
  return tf.castStorage(embedded, dtype_mm);
}

/**
 * How much of each of `from` samples is in each place of a line, whose length is that of the image. As in
 * jax.image.scale_and_translate.
 * @param places int32 [batch, patches]
 * @returns float32 [batch, patches, from]; each line's sum is 1
 */
function resizeWeights(places: tf.Tensor, from: number): tf.Tensor {
  const to = tf.cast(tf.add(tf.max(places, 1, true), tf.scalar(1, 'int32')), 'float32');
  const scale = tf.div(from, to);
  const centre = tf.sub(tf.mul(tf.add(tf.cast(places, 'float32'), 0.5), scale), 0.5);
  const distance = tf.abs(tf.sub(tf.expandDims(centre, 2), tf.range(0, from)));
  const weights = tf.relu(tf.sub(1, tf.div(distance, tf.expandDims(tf.maximum(scale, 1), 2))));
  return tf.div(weights, tf.sum(weights, 2, true));
}

function patchesOf(scope: Scope, batch: Batch): Patches {
  const parts = [0, 1, 2, 3].map((part) => batch[`image/${part}`]);
  if (parts.some((part) => !part)) {
    throw scope.shapeError(
      'the batch has no "image" of four parts (patches, types, rows, columns)',
      'let pp end with tuplify(["image/patches", "image/type", "image/yidx", "image/xidx"], "image").',
    );
  }
  const [values, type, rows, columns] = parts as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return {
    values: values.dtype === 'float32' ? values : tf.cast(values, 'float32'),
    real: tf.equal(type, tf.scalar(1, 'int32')),
    rows,
    columns,
  };
}

export function registerNaflexVit({ register }: Registrar): void {
  register('model', 'proj.image_text.naflex_vit', {
    doc: [
      'Vision Transformer for images of any aspect (SigLIP 2, arXiv:2502.14786), as lists of patches padded to one length.',
      'image/0: [batch, patches, values], the patches; image/1: int32 [batch, patches], 1 for a patch and 0 for padding;',
      'image/2, image/3: int32 [batch, patches], row and column; as the ops patchify, pad_to_shape and tuplify make them.',
      'Gives logits [batch, num_classes], or the pooled representation [batch, width] without num_classes.',
    ].join(' '),
    options: naflexVitOptions,
    create: naflexVit,
  });
}
