// What the VAEs share: a code is drawn from the distribution that the encoder gives, and decoded again (README.md).

import { z } from 'zod';
import { loadAsIs } from '../../core/checkpoint/load-params';
import type { Batch, CallOptions, Model } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { codeDropout, codeDropouts } from '../../plugins/layers';

const count = z.int().min(1);

/** Options of every VAE. */
export const vaeFields = {
  code_len: count.default(256).describe('length of the code of an image'),
  codeword_dim: count.describe('numbers in a word of the code'),
  code_dropout: z
    .enum(codeDropouts)
    .default('none')
    .describe('in training zeroes a random number of words: the last ones, or any'),
};

/** The distribution of a code, as normal distributions of its numbers: float [batch, words, codeword_dim]. */
export interface Posterior {
  readonly mu: tf.Tensor;
  readonly logvar: tf.Tensor;
}

export interface Vae extends Model {
  encode(scope: Scope, image: tf.Tensor, train?: boolean): Posterior;
  /** A code's image, or its parts by name: float [batch, height, width, channels]. */
  decode(scope: Scope, code: tf.Tensor, train?: boolean): Tree<tf.Tensor>;
}

/** A code drawn from its distribution. @param key int32 [2] */
export function reparametrize({ mu, logvar }: Posterior, key: tf.Tensor): tf.Tensor {
  return tf.add(mu, tf.mul(tf.exp(tf.mul(0.5, logvar)), tf.random.normal(key, mu.shape)));
}

/** The model of an encoder and a decoder. Without training the code is the mean. */
export function vaeOf(
  { code_dropout }: z.output<z.ZodObject<typeof vaeFields>>,
  { encode, decode }: Pick<Vae, 'encode' | 'decode'>,
): Vae {
  return {
    encode,
    decode,
    load: loadAsIs,
    apply(scope, batch, { train }: CallOptions) {
      const { mu, logvar } = encode(scope, imageIn(scope, batch), train);
      const drawn = train ? reparametrize({ mu, logvar }, scope.rng('dropout')) : mu;
      const code = train ? codeDropout(scope, drawn, code_dropout) : drawn;
      return { output: decode(scope, code, train), out: { mu, logvar, z: code } };
    },
  };
}

function imageIn(scope: Scope, { image }: Batch): tf.Tensor {
  if (!image) throw scope.shapeError('the batch has no "image"', 'let pp end with keep("image").');
  return image;
}
