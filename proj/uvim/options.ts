// The options of stage I.

import { z } from 'zod';
import { codeDropouts } from '../../plugins/layers';

const count = z.int().min(1);
const depth = z.int().min(0);
const pair = z.tuple([count, count]);
const shapes = z.record(z.string(), z.array(count).min(1));

/** Of an encoder and a decoder that are ViTs. */
export const halvesFields = {
  width: count.default(768),
  enc_depth: depth.default(6).describe('blocks of the encoder'),
  dec_depth: depth.default(6).describe('blocks of the decoder'),
  mlp_dim: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('hidden width of the MLPs; null or 0: 4 times the width'),
  num_heads: count.default(12),
  posemb: z.enum(['learn', 'sincos2d']).default('learn'),
};

export const uvimVitOptions = z.strictObject({
  inputs: shapes.describe('for each part of the labels its shape in a patch: {depth: [256, 64]}'),
  outputs: shapes.describe('for each part of the prediction its shape in a patch'),
  input_size: pair.default([256, 256]).describe('height and width of the labels'),
  patch_size: pair.default([8, 8]).describe('height and width of a patch, of labels and of the image'),
  code_len: count.default(256).describe('number of code words of an image'),
  ...halvesFields,
  rep_size: z.union([z.int(), z.boolean()]).default(false).describe('without effect, as in the original'),
  dropout: z.number().min(0).max(1).default(0).describe('in the encoder'),
  reinit: z.array(z.string()).nullable().default(null).describe('without effect, as in the original'),
  head_zeroinit: z.boolean().default(true).describe('heads start at zero'),
  dict_size: count.default(512).describe('number of words in the dictionary'),
  codeword_dim: count.nullable().default(null).describe('width of a word; null: the width'),
  dict_momentum: z.number().min(0).max(1).default(0.995).describe('of the running sums and counts of words'),
  quantize: z.boolean().default(true).describe('false: the decoder gets the code before it is rounded'),
  statistics_axis_name: z
    .string()
    .nullable()
    .default('batch')
    .describe('without effect: words are always counted over the whole batch'),
  min_count: z
    .number()
    .min(0)
    .default(0.1)
    .describe('words that are rarer get half of the most frequent word'),
  with_encoder_ctx: z.boolean().default(false).describe('the encoder sees the image'),
  with_decoder_ctx: z.boolean().default(false).describe('the decoder sees the image'),
  code_dropout: z
    .enum(codeDropouts)
    .default('none')
    .describe('in training zeroes a random number of words: the last ones, or any'),
  bottleneck_resize: z
    .boolean()
    .default(false)
    .describe('the code is a resized grid of tokens; otherwise tokens are mixed by a learned matrix'),
  zero_decoder_seq: z.boolean().default(false).describe('the decoder gets no code, to see what it is worth'),
});
export type UvimVitOptions = z.output<typeof uvimVitOptions>;
