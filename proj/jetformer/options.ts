// What the trainer reads beside the model: the original's names, in the config's key `jetformer`.

import { z } from 'zod';
import { jetOptions } from '../jet';
import { patchPcaOptions } from './patch_pca';

const amount = z.number().min(0);
const probability = z.number().min(0).max(1);

export const trainingSchema = z.strictObject({
  patch_pca: patchPcaOptions.describe('how images become patches'),
  adaptor: jetOptions
    .nullable()
    .default(null)
    .describe('of the flow (proj.jet.jet) between patches and tokens; null: none'),
  latent_noise_dim: z
    .int()
    .min(0)
    .default(0)
    .describe("numbers of the flow's tokens that are left to a normal distribution"),

  text_prefix_prob: probability.default(0.5).describe('how often the text comes first'),
  noise_scale: amount
    .default(0)
    .describe('deviation of noise on 8-bit pixels at the start; it falls by a cosine. 0: none'),
  noise_min: amount.default(0).describe('that at the end'),
  rgb_noise_on_image_prefix: z.boolean().default(true).describe('also on images that come first'),
  input_noise_std: amount
    .default(0)
    .describe("largest deviation of noise on an image's tokens after a text, uniform for each example"),
  stop_grad_nvp_prefix: z
    .boolean()
    .default(false)
    .describe('no gradient to the flow from images that come first'),

  loss_on_prefix: z.boolean().default(true).describe('what comes first has a loss too'),
  text_loss_weight: amount.default(1).describe('of the mean over words, next to bits for each pixel'),

  sample_images: z
    .strictObject({
      cfg_inference_weight: amount.default(0).describe('of guidance by the text; 0: none'),
      temperature: z.number().positive().default(1).describe('standard deviations are multiplied by it'),
      temperature_probs: z
        .number()
        .positive()
        .default(1)
        .describe('logits of the components are multiplied by it'),
    })
    .prefault({})
    .describe('how images are drawn'),
  sampling_seed: z.int().min(0).default(0).describe('of what predictions draw'),
});
export type TrainingOptions = z.output<typeof trainingSchema>;
