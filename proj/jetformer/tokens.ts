// From images to the tokens that the transformer sees, and back: patches, an invertible flow that is trained along, and
// numbers that are left to a normal distribution.

import { catalogue } from '../../core/errors';
import type { Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Jet } from '../jet';
import { noiseKeys, type PatchPca } from './patch_pca';

/** Where the flow's parameters are among the model's, as in the original's checkpoints. */
export const adaptorName = 'params_adaptor';

export interface ImageTokens {
  /** float [batch, length, dims that the transformer sees] */
  readonly tokens: tf.Tensor;
  /** The other numbers of each token: float [batch, length, noise dims]; absent where there are none. */
  readonly noise?: tf.Tensor;
  /** Logarithm of the flow's determinant: float [batch]. */
  readonly logdet: tf.Tensor;
  /** What the flow got, and what it gave: float [batch, length, dims]. */
  readonly patches: tf.Tensor;
  readonly all: tf.Tensor;
}

export interface TokenSizes {
  /** Tokens of an image. */
  readonly length: number;
  /** Numbers of a token that the transformer sees, and those that are left to a normal distribution. */
  readonly dims: number;
  readonly noiseDims: number;
}

export interface Tokenizer {
  /** Asks for the flow's parameters, before there are images. @returns float [batch, length, dims] */
  declare(scope: Scope, batch: number): tf.Tensor;
  /** @param dropout int32 [2]: the key of noise on pixels and components */
  encode(scope: Scope, image: tf.Tensor, dropout: tf.Tensor): ImageTokens;
  /** Pixels in [-1, 1]. @param key int32 [2]: draws the numbers that the transformer doesn't see */
  decode(params: Params, tokens: tf.Tensor, key: tf.Tensor): tf.Tensor;
}

const errors = catalogue('jetformer', {
  tokens: (v: { found: readonly number[]; sizes: TokenSizes }) => ({
    what: `An image gives ${v.found[1]} tokens of ${v.found[2]} numbers, and the model is for ${v.sizes.length} (jetformer.patch_pca.code_len) of ${v.sizes.dims} (model.out_dim) + ${v.sizes.noiseDims} (jetformer.latent_noise_dim).`,
    fix: "make patch_pca's input_size, patch_size and code_len, model.out_dim and latent_noise_dim agree.",
  }),
  square: (v: { length: number }) => ({
    what: `The flow takes the tokens of an image as a square, and there are ${v.length}.`,
    fix: 'use square images and depth_to_seq: 1, or no flow (jetformer.adaptor: null).',
  }),
});

/** @param flow between patches and tokens; null: none */
export function tokenizer(pca: PatchPca, flow: Jet | null, sizes: TokenSizes): Tokenizer {
  const { length, dims, noiseDims } = sizes;
  const mapped = (scope: Scope, patches: tf.Tensor) =>
    flow?.forward(scope.child(adaptorName), squared(patches));
  return {
    declare(scope, batch) {
      mapped(scope, tf.fill([batch, length, dims + noiseDims], 0));
      return tf.fill([batch, length, dims], 0);
    },
    encode(scope, image, dropout) {
      const patches = pca.encode(tf.cast(image, 'float32'), noiseKeys(dropout));
      const [batch, ...found] = patches.shape as [number, number, number];
      if (found.join() !== [length, dims + noiseDims].join())
        throw errors.tokens({ found: patches.shape, sizes });
      const flowed = mapped(scope, patches);
      const all = flowed ? tf.reshape(flowed.x, patches.shape) : patches;
      const logdet = flowed?.logdet ?? tf.fill([batch], 0);
      if (noiseDims === 0) return { tokens: all, logdet, patches, all };
      const [tokens, noise] = tf.split(all, [dims, noiseDims], 2) as [tf.Tensor, tf.Tensor];
      return { tokens, noise, logdet, patches, all };
    },
    decode(params, tokens, key) {
      const drawn = () => tf.random.normal(key, [...tokens.shape.slice(0, 2), noiseDims]);
      const all = noiseDims > 0 ? tf.concat([tokens, drawn()], 2) : tokens;
      if (!flow) return pca.decode(all);
      const { x } = flow.inverse(Scope.reading(params).child(adaptorName), squared(all));
      return pca.decode(tf.reshape(x, all.shape));
    },
  };
}

/** A sequence as a square image: [batch, n * n, dims] -> [batch, n, n, dims]. */
function squared(x: tf.Tensor): tf.Tensor {
  const [batch, length, dims] = x.shape as [number, number, number];
  const side = Math.sqrt(length);
  if (!Number.isInteger(side)) throw errors.square({ length });
  return tf.reshape(x, [batch, side, side, dims]);
}
