// The model's options: the original's names and defaults.

import { z } from 'zod';
import { numClasses } from '../layers';
import { transformerOptions, vitOptions } from '../vit';

const { dropout, scan, remat_policy } = transformerOptions;
const natural = z.number().int().min(0);
const positive = natural.min(1);

export const textOptions = z.strictObject({
  num_classes: numClasses('the pooled representation'),
  variant: vitOptions.shape.variant.describe(
    'a named size of the image model, such as "B"; other options override it',
  ),
  width: positive.optional().describe("width of the tokens; default: the variant's, or 512"),
  depth: natural.optional().describe("number of blocks; default: the variant's, or 12"),
  mlp_dim: natural
    .nullable()
    .optional()
    .describe("width inside the MLPs; null or 0: 4 times the width; default: the variant's, or 2048"),
  num_heads: positive
    .optional()
    .describe("attention heads, a divisor of the width; default: the variant's, or 8"),
  dropout,
  vocab_size: positive.default(32_000).describe('number of tokens'),
  pool_type: z
    .enum(['last', 'first', 'mean', 'gap', 'max', 'gmp', 'map'])
    .default('last')
    .describe(
      'the last token (an end that stays on truncation), the first, mean, maximum, or attention pooling',
    ),
  scan,
  remat_policy,
});

/** What a config gives. */
export type TextInput = z.input<typeof textOptions>;
/** Checked options, before the variant is put in. */
export type TextOptions = z.output<typeof textOptions>;

/** Every option with its value. */
export interface TextConfig extends Omit<TextOptions, 'variant'> {
  readonly width: number;
  readonly depth: number;
  readonly mlp_dim: number | null;
  readonly num_heads: number;
}
