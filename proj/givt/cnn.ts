// A convolutional VAE, as in VQ-GAN (arXiv:2012.09841) and MaskGIT (arXiv:2202.04200).

import { z } from 'zod';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { conv2d, groupNorm, layerNorm } from '../../plugins/layers';
import { depthToSpace, spaceToDepth } from './grid';
import { type Vae, vaeFields, vaeOf } from './vae';

const count = z.int().min(1);

export const givtCnnOptions = z.strictObject({
  ...vaeFields,
  filters: count.default(128).describe('channels before they are multiplied'),
  num_res_blocks: z.int().min(0).default(2).describe('residual blocks at each resolution'),
  channel_multipliers: z
    .array(count)
    .default([])
    .describe('of the channels, from the full resolution down; each but the first halves it'),
  conv_downsample: z.boolean().default(false).describe('halve by strided convolutions, not by means'),
  activation_fn: z.enum(['swish', 'relu']).default('swish'),
  // Not BN: the original's trainer keeps no statistics of batches, and so its model fails with it.
  norm_type: z.enum(['GN', 'LN']).default('GN').describe('of groups of channels, or of all of them'),
  output_dim: count.default(3).describe('channels of the result'),
  malib_ckpt: z
    .boolean()
    .default(false)
    .describe('for weights that were trained on images in [0, 1]; the model still takes and gives [-1, 1]'),
  pixel_shuffle_patch_size: z
    .tuple([count, count])
    .default([1, 1])
    .describe('height and width of the grid positions that are one word'),
});
export type GivtCnnOptions = z.output<typeof givtCnnOptions>;

/** Flax counts layers of each kind in a module. */
function numbered(scope: Scope) {
  const counts = new Map<string, number>();
  return (kind: string): Scope => {
    const next = counts.get(kind) ?? 0;
    counts.set(kind, next + 1);
    return scope.child(`${kind}_${next}`);
  };
}

/** The model of these options. image: float [batch, size, size, channels] in [-1, 1]. */
export function givtCnn(options: GivtCnnOptions): Vae {
  const { filters, num_res_blocks, channel_multipliers, pixel_shuffle_patch_size: patch } = options;
  const levels = channel_multipliers.map((multiplier) => multiplier * filters);

  const activate = (x: tf.Tensor) =>
    options.activation_fn === 'relu' ? tf.relu(x) : tf.mul(x, tf.sigmoid(x));
  const normOf = (next: (kind: string) => Scope, x: tf.Tensor) =>
    options.norm_type === 'GN'
      ? groupNorm(next('GroupNorm'), x, { variance: 'exact' })
      : layerNorm(next('LayerNorm'), x, { variance: 'exact' });

  const block = (scope: Scope, x: tf.Tensor, features: number): tf.Tensor => {
    const next = numbered(scope);
    const half = (x: tf.Tensor) =>
      conv2d(next('Conv'), activate(normOf(next, x)), { features, kernel: [3, 3], useBias: false });
    const y = half(half(x));
    // As in the original, where channels change the shortcut is one of the result, not of the input.
    const shortcut =
      x.shape[3] === features ? x : conv2d(next('Conv'), y, { features, kernel: [1, 1], useBias: false });
    return tf.add(y, shortcut);
  };

  /** Blocks with a number of their own in a module. */
  const blocks = (next: (kind: string) => Scope, x: tf.Tensor, features: number): tf.Tensor =>
    Array.from({ length: num_res_blocks }).reduce<tf.Tensor>((y) => block(next('ResBlock'), y, features), x);

  const encoder = (scope: Scope, image: tf.Tensor): tf.Tensor => {
    const next = numbered(scope);
    let x = conv2d(next('Conv'), image, { features: filters, kernel: [3, 3], useBias: false });
    levels.forEach((features, i) => {
      x = blocks(next, x, features);
      if (i === levels.length - 1) return;
      x = options.conv_downsample
        ? conv2d(next('Conv'), x, { features, kernel: [4, 4], strides: [2, 2] })
        : tf.avgPool(x as tf.Tensor4D, [2, 2], [2, 2], 'same');
    });
    x = blocks(next, x, levels.at(-1) ?? filters);
    const normed = activate(normOf(next, x));
    return conv2d(next('Conv'), normed, { features: 2 * options.codeword_dim, kernel: [1, 1] });
  };

  const decoder = (scope: Scope, code: tf.Tensor): tf.Tensor => {
    const next = numbered(scope);
    const kernel = [3, 3] as const;
    const top = levels.at(-1) ?? filters;
    let x = blocks(next, conv2d(next('Conv'), code, { features: top, kernel }), top);
    [...levels.entries()].reverse().forEach(([i, features]) => {
      x = blocks(next, x, features);
      if (i > 0) x = conv2d(next('Conv'), doubled(x), { features, kernel });
    });
    return conv2d(next('Conv'), activate(normOf(next, x)), { features: options.output_dim, kernel });
  };

  return vaeOf(options, {
    encode(scope, image) {
      const x = options.malib_ckpt ? tf.div(tf.add(image, 1), 2) : tf.cast(image, 'float32');
      const [mu, logvar] = tf.split(encoder(scope.child('cnn_encoder'), x), 2, 3) as [tf.Tensor, tf.Tensor];
      return {
        mu: spaceToDepth(mu, patch),
        logvar: spaceToDepth(options.malib_ckpt ? tf.clipByValue(logvar, -30, 20) : logvar, patch),
      };
    },
    decode(scope, code) {
      const x = decoder(scope.child('cnn_decoder'), depthToSpace(code, patch));
      return tf.clipByValue(options.malib_ckpt ? tf.sub(tf.mul(2, x), 1) : x, -1, 1);
    },
  });
}

/** Each position four times. */
function doubled(x: tf.Tensor): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const apart = tf.reshape(x, [batch, height, 1, width, channels]);
  const wide = tf.concat([apart, apart], 2);
  const columns = tf.reshape(wide, [batch, 2 * height, width, 1, channels]);
  return tf.reshape(tf.concat([columns, columns], 3), [batch, 2 * height, 2 * width, channels]);
}
