// From images to the tokens that the transformer sees, and back: patches, an invertible flow that is trained along, and
// numbers that are left to a normal distribution.

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

export interface Tokenizer {
  /** @param dropout int32 [2]: a key, without which nothing is drawn */
  encode(scope: Scope, image: tf.Tensor, dropout?: tf.Tensor): ImageTokens;
  /** Pixels in [-1, 1]. @param key int32 [2]: draws the numbers that the transformer doesn't see */
  decode(params: Params, tokens: tf.Tensor, key: tf.Tensor): tf.Tensor;
}

/** @param noiseDims how many of a token's last numbers are left to a normal distribution */
export function tokenizer(pca: PatchPca, flow: Jet | null, noiseDims: number): Tokenizer {
  return {
    encode(scope, image, dropout) {
      const patches = pca.encode(tf.cast(image, 'float32'), dropout ? noiseKeys(dropout) : {});
      const [batch, length, dims] = patches.shape as [number, number, number];
      const mapped = flow?.forward(scope.child(adaptorName), squared(patches));
      const all = mapped ? tf.reshape(mapped.x, patches.shape) : patches;
      const logdet = mapped?.logdet ?? tf.fill([batch], 0);
      if (noiseDims === 0) return { tokens: all, logdet, patches, all };
      const [tokens, noise] = tf.split(all, [dims - noiseDims, noiseDims], 2) as [tf.Tensor, tf.Tensor];
      return { tokens: tf.reshape(tokens, [batch, length, -1]), noise, logdet, patches, all };
    },
    decode(params, tokens, key) {
      const [batch, length] = tokens.shape as [number, number, number];
      const drawn = () => tf.random.normal(key, [batch, length, noiseDims]);
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
  return tf.reshape(x, [batch, side, side, dims]);
}
