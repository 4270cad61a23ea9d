// The options of a transformer of real-valued tokens.

import { z } from 'zod';
import * as tf from '../../core/tensor';
import { maskScheduleSchema } from './masking';

const count = z.int().min(1);
const rate = z.number().min(0).max(1).default(0);

export const givtOptions = z
  .strictObject({
    num_heads: count.default(8),
    num_layers: z.int().min(0).default(0).describe('blocks of the encoder of images; 0: there is none'),
    num_decoder_layers: z.int().min(0).default(6).describe('blocks of the decoder; 0: as the encoder'),
    mlp_dim: count.default(2048).describe('hidden width of the MLPs'),
    enc_dropout_rate: rate,
    dec_dropout_rate: rate,
    emb_dim: count.default(512).describe('width'),
    num_labels: count.nullable().default(1000).describe('number of classes; null or 1: there are none'),
    seq_len: count.default(256).describe('number of tokens'),
    patches: z.tuple([count, count]).default([16, 16]).describe('height and width of a patch of the image'),
    input_size: z.tuple([count, count]).default([256, 256]).describe('height and width of the image'),
    posemb_type: z.enum(['learn']).default('learn'),
    zero_decoder_seq: z.boolean().default(false).describe('without effect, as in the original'),
    style: z
      .enum(['ar', 'masked'])
      .default('ar')
      .describe('tokens one by one, each from those before, or all from those that are not hidden'),
    zero_embedding_init: z.boolean().default(false).describe('embeddings of labels start at zero'),
    num_mixtures: count.default(4).describe('components of the distribution of a token'),
    multivariate: z.boolean().default(false).describe('one component with a full covariance'),
    out_dim: count.default(32).describe('numbers in a token'),
    scale_tol: z.number().positive().default(1e-6).describe('smallest standard deviation'),
    mask_schedule_train: maskScheduleSchema.default('cosine').describe('cosine or pow:EXPONENT'),
    min_masking_rate_training: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('the schedule is followed up to 1 minus this in training'),
    mask_style: z
      .enum(['replace', 'concat'])
      .default('replace')
      .describe('hidden tokens are replaced, or half of the width says which are hidden'),
    drop_labels_probability: rate.describe('of training without the label, for guidance'),
    fix_square_plus: z.boolean().default(false).describe('standard deviations by square plus as published'),
    per_channel_mixtures: z
      .boolean()
      .default(true)
      .describe('a mixture for each channel, or one of whole tokens'),
    scan: z.boolean().default(false).describe('stack the parameters of equal blocks'),
    remat_policy: z
      .enum(tf.rematPolicies)
      .default('nothing_saveable')
      .describe('with scan: what the backward pass keeps of a block'),
  })
  .refine(({ multivariate, num_mixtures }) => !multivariate || num_mixtures === 1, {
    path: ['num_mixtures'],
    message: 'multivariate takes num_mixtures: 1',
  });
export type GivtOptions = z.output<typeof givtOptions>;
