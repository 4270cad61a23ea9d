// Images as sequences of vectors, one a patch: its pixels, or their principal components. Nothing of it is trained.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { flattenPatches, unflattenPatches } from '../../plugins/layers';
import { pixelStep } from '../jet';

const count = z.int().min(1);

export const patchPcaOptions = z.strictObject({
  input_size: z.tuple([count, count]).default([256, 256]).describe('height and width of images'),
  patch_size: z.tuple([count, count]).default([16, 16]).describe('height and width of a patch'),
  code_len: count.default(256).describe('tokens of an image, as many as are drawn of one'),
  codeword_dim: count.optional().describe('not used, as in the original: model.out_dim says it'),
  add_dequant_noise: z
    .boolean()
    .default(false)
    .describe('uniform noise that fills the steps of 8-bit pixels'),
  skip_pca: z.boolean().default(false).describe('tokens are the pixels of patches'),
  pca_init_file: z.string().default('').describe('npz with components_, explained_variance_ and mean_'),
  whiten: z.boolean().default(true).describe('components are divided by their deviations'),
  noise_std: z.number().default(0.01).describe('deviation of noise on the components; 0 or less: none'),
  depth_to_seq: count.default(1).describe('components are cut into this many tokens'),
});
export type PatchPcaOptions = z.output<typeof patchPcaOptions>;

/** Principal components of patches, as scikit-learn's PCA names them. */
export interface Pca {
  /** float [kept, size of a patch] */
  readonly components_: tf.Tensor;
  /** float [kept] */
  readonly explained_variance_: tf.Tensor;
  /** float [size of a patch] */
  readonly mean_: tf.Tensor;
}

export interface PatchPca {
  /**
   * The tokens of images: float [batch, height, width, channels] -> [batch, length, dims].
   * @param keys int32 [2] each: of the noise on pixels, and of that on components; without one of those there is none of that
   */
  encode(image: tf.Tensor, keys: { readonly pixels?: tf.Tensor; readonly components?: tf.Tensor }): tf.Tensor;
  /** The way back, to pixels in [-1, 1] of three channels. */
  decode(tokens: tf.Tensor): tf.Tensor;
}

const errors = catalogue('jetformer', {
  pca: () => ({
    what: 'Tokens of patches are their pixels (skip_pca) or principal components (pca_init_file), and jetformer.patch_pca has neither, or pixels with depth_to_seq.',
    fix: 'set skip_pca: true and depth_to_seq: 1, or name a file of components in pca_init_file.',
  }),
  grid: (v: { height: number; width: number; patch: readonly number[] }) => ({
    what: `Images of ${v.height} by ${v.width} pixels can't be cut into patches of ${v.patch.join(' by ')}.`,
    fix: 'choose a size of images, or jetformer.patch_pca.patch_size, so that the patches fit.',
  }),
});

/** Throws if the options contradict each other. */
export function checkPatchPca({ skip_pca, pca_init_file, depth_to_seq }: PatchPcaOptions): void {
  if (skip_pca ? depth_to_seq > 1 : pca_init_file === '') throw errors.pca();
}

const float32Epsilon = 2 ** -23;

/** @param pca of the file that the options name; absent with `skip_pca` */
export function patchPca(options: PatchPcaOptions, pca?: Pca): PatchPca {
  const { input_size, patch_size: patch, depth_to_seq: parts, whiten, noise_std } = options;
  const deviations = ({ explained_variance_ }: Pca) => tf.sqrt(explained_variance_);
  return {
    encode(image, { pixels, components }) {
      const noise = options.add_dequant_noise && pixels;
      const filled = noise ? tf.add(image, tf.random.uniform(noise, image.shape, 0, pixelStep)) : image;
      checkGrid(image, patch);
      const tokens = flattenPatches(filled, patch);
      if (!pca) return tokens;
      const dot = (x: tf.Tensor) => tf.einsum('bnd,kd->bnk', x, pca.components_);
      const mean = tf.reshape(pca.mean_, [1, 1, -1]);
      let y = tf.sub(dot(tokens), dot(mean));
      if (whiten) y = tf.div(y, tf.maximum(deviations(pca), float32Epsilon));
      const code = cut(y, parts);
      if (noise_std <= 0 || !components) return code;
      return tf.add(code, tf.mul(noise_std, tf.random.normal(components, code.shape)));
    },
    decode(tokens) {
      const size = [input_size[0] / patch[0], input_size[1] / patch[1]] as const;
      if (!pca) return tf.clipByValue(unflattenPatches(tokens, size, patch), -1, 1);
      const whole = uncut(tokens, parts);
      const scaled = whiten ? tf.mul(whole, deviations(pca)) : whole;
      const pixels = tf.add(tf.einsum('bnk,kd->bnd', scaled, pca.components_), pca.mean_);
      return tf.clipByValue(unflattenPatches(pixels, size, patch), -1, 1);
    },
  };
}

/**
 * The keys of noise of a step's key, as Flax's modules draw them: both the same, since encoding and drawing are calls of
 * their own.
 */
export function noiseKeys(dropout: tf.Tensor): {
  readonly pixels: tf.Tensor;
  readonly components: tf.Tensor;
} {
  const drawn = () => Scope.reading({}, { dropout }).rng('dropout');
  return { pixels: drawn(), components: drawn() };
}

function checkGrid({ shape }: tf.Tensor, patch: readonly [number, number]): void {
  const [, height, width] = shape as [number, number, number, number];
  if (height % patch[0] !== 0 || width % patch[1] !== 0) throw errors.grid({ height, width, patch });
}

/** The numbers of each token in `parts` tokens: first those of all first parts. [b, n, parts * d] -> [b, parts * n, d] */
function cut(x: tf.Tensor, parts: number): tf.Tensor {
  if (parts === 1) return x;
  const [batch, length, size] = x.shape as [number, number, number];
  const split = tf.transpose(tf.reshape(x, [batch, length, parts, size / parts]), [0, 2, 1, 3]);
  return tf.reshape(split, [batch, parts * length, size / parts]);
}

function uncut(x: tf.Tensor, parts: number): tf.Tensor {
  if (parts === 1) return x;
  const [batch, length, size] = x.shape as [number, number, number];
  const split = tf.transpose(tf.reshape(x, [batch, parts, length / parts, size]), [0, 2, 1, 3]);
  return tf.reshape(split, [batch, length / parts, parts * size]);
}
