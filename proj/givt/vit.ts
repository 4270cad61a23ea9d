// A VAE of two ViTs, of images or of dense labels: that of UViM's stage I without its dictionary.

import { z } from 'zod';
import { xavierUniform, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dense, embedPatches, patchGrid, regroupTokens, unflattenPatches } from '../../plugins/layers';
import { encoder, posemb } from '../../plugins/vit';
import { halvesFields } from '../uvim';
import { type Vae, vaeFields, vaeOf } from './vae';

const count = z.int().min(1);
const pair = z.tuple([count, count]);

export const givtVitOptions = z.strictObject({
  ...vaeFields,
  input_size: pair.default([256, 256]).describe('height and width of the image'),
  patch_size: pair.default([16, 16]).describe('height and width of a patch'),
  ...halvesFields,
  dropout: z.number().min(0).max(1).default(0),
  head_zeroinit: z.boolean().default(true).describe('the head starts at zero'),
  bottleneck_resize: z
    .boolean()
    .default(false)
    .describe('the code is a resized grid of tokens; otherwise tokens are mixed by a learned matrix'),
  inout_specs: z
    .record(z.string(), z.tuple([z.int().min(0), count]))
    .nullable()
    .default(null)
    .describe('parts of labels, each [its channel, number of classes]: {depth: [0, 256]}; null: colours'),
  scan: z.boolean().default(false).describe('stack the parameters of equal blocks'),
  remat_policy: z
    .enum(tf.rematPolicies)
    .default('nothing_saveable')
    .describe('with scan: what the backward pass keeps of a block'),
});
export type GivtVitOptions = z.output<typeof givtVitOptions>;

/** What the model keeps at its root, in the order in which the original asks for it: initial values depend on it. */
function rootOf(
  scope: Scope,
  { grid, options }: { readonly grid: readonly [number, number]; readonly options: GivtVitOptions },
) {
  const { posemb: type, width, code_len, bottleneck_resize } = options;
  const patches = grid[0] * grid[1];
  const mixing = (name: string, shape: readonly number[]) =>
    bottleneck_resize ? undefined : scope.param(name, shape, xavierUniform());
  const encoderPosemb = posemb(scope, { type, grid, width, name: 'pos_embedding_encoder' });
  const downsample = mixing('bottleneck_downsample', [patches, code_len]);
  const upsample = mixing('bottleneck_upsample', [code_len, patches]);
  const decoderPosemb = posemb(scope, { type, grid, width, name: 'pos_embedding_decoder' });
  return { encoderPosemb, downsample, upsample, decoderPosemb };
}

/** The model of these options. A batch has `image`: float colours, or int32 labels with `inout_specs`. */
export function givtVit(options: GivtVitOptions): Vae {
  const { width, input_size, patch_size, num_heads, mlp_dim, dropout, scan, remat_policy } = options;
  // By name, as the original's configs have them, whatever their order in the text.
  const parts = Object.entries(options.inout_specs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const grid = patchGrid(input_size, patch_size);
  const side = Math.round(Math.sqrt(options.code_len));
  const codeGrid = [side, side] as const;
  const blocks = { num_heads, mlp_dim, dropout, scan, remat_policy };
  const channels = options.inout_specs ? parts.reduce((sum, [, [, classes]]) => sum + classes, 0) : 3;

  const oneHots = (labels: tf.Tensor) =>
    tf.concat(
      parts.map(([, [channel, classes]]) => {
        const ofPart = tf.slice(labels, [0, 0, 0, channel], [-1, -1, -1, 1]);
        return tf.oneHot(tf.cast(tf.squeeze(ofPart, [3]), 'int32'), classes, 1, 0, 'float32');
      }),
      3,
    );

  return vaeOf(options, {
    encode(scope, image, train = false) {
      const root = rootOf(scope, { grid, options });
      const x = options.inout_specs ? oneHots(image) : tf.cast(image, 'float32');
      const embedded = embedPatches(scope.child('embedding'), x, { features: width, patch: patch_size });
      const input = tf.add(embedded, root.encoderPosemb);
      const tokens = encoder(scope.child('encoder'), input, { depth: options.enc_depth, ...blocks }, train).x;
      const code = regroupTokens(tokens, { mixing: root.downsample, from: grid, to: codeGrid });
      const both = dense(scope.child('encoder_head'), code, 2 * options.codeword_dim);
      const [mu, logvar] = tf.split(both, 2, 2) as [tf.Tensor, tf.Tensor];
      return { mu, logvar };
    },

    decode(scope, code, train = false) {
      const root = rootOf(scope, { grid, options });
      const words = dense(scope.child('decoder_stem'), code, width);
      const tokens = regroupTokens(words, { mixing: root.upsample, from: codeGrid, to: grid });
      const input = tf.add(tokens, root.decoderPosemb);
      const decoded = encoder(
        scope.child('decoder'),
        input,
        { depth: options.dec_depth, ...blocks },
        train,
      ).x;
      const [h, w] = patch_size;
      const kernelInit = options.head_zeroinit ? zeros : undefined;
      const pixels = dense(scope.child('decoder_head'), decoded, channels * h * w, { kernelInit });
      const whole = unflattenPatches(pixels, grid, patch_size);
      if (!options.inout_specs) return tf.clipByValue(whole, -1, 1);
      const logits = tf.split(
        whole,
        parts.map(([, [, classes]]) => classes),
        3,
      );
      return Object.fromEntries(parts.map(([name], i) => [name, logits[i] as tf.Tensor]));
    },
  });
}
