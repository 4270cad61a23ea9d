// The model's options: the original's names and defaults.

import { z } from 'zod';
import { didYouMean } from '../../core/suggest';
import { rematPolicies } from '../../core/tensor';
import { numClasses } from '../layers';
import { decodeVariant, sizes } from './variants';

const natural = z.number().int().min(0);
const positive = natural.min(1);
const names = Object.keys(sizes);

/** Options of the transformer that the text towers and decoders share. */
export const transformerOptions = {
  width: positive.optional().describe("width of the tokens; default: the variant's, or 768"),
  depth: natural.optional().describe("number of blocks; default: the variant's, or 12"),
  mlp_dim: natural
    .nullable()
    .optional()
    .describe("width inside the MLPs; null or 0: 4 times the width; default: the variant's, or null"),
  num_heads: positive
    .optional()
    .describe("attention heads, a divisor of the width; default: the variant's, or 12"),
  dropout: z.number().min(0).max(1).default(0).describe('rate of dropout on the tokens and in each block'),
  scan: z
    .boolean()
    .default(false)
    .describe(
      'keep the parameters of all blocks in one tree, stacked on a leading axis, as large released models do; a compiled program then has one block, and its size and the time to compile it do not grow with the depth',
    ),
  remat_policy: z
    .enum(rematPolicies)
    .default('nothing_saveable')
    .describe(
      'with scan, what the backward pass may keep of a block instead of computing it again (names of jax.checkpoint_policies); none is nothing_saveable, as in jax.checkpoint; everything_saveable keeps all',
    ),
  dtype_mm: z
    .enum(['float32', 'bfloat16', 'float16'])
    .default('float32')
    .describe('type of activations and products in the blocks; parameters stay float32'),
};

export const vitOptions = z.strictObject({
  num_classes: numClasses('the pooled representation'),
  variant: z
    .string()
    .refine((variant) => decodeVariant(variant) !== undefined, {
      error: ({ input }) =>
        `expected NAME or NAME/PATCH with NAME one of ${names.join(', ')}.${didYouMean(String(input).split('/')[0] as string, names)}`.replace(
          /\.$/,
          '',
        ),
    })
    .nullable()
    .optional()
    .describe(
      `a named size, with the patch side after a slash: "S/16"; names: ${names.join(', ')}. Other options override it`,
    ),
  patch_size: z
    .tuple([positive, positive])
    .optional()
    .describe("height and width of a patch in pixels; default: the variant's, or [16, 16]"),
  ...transformerOptions,
  posemb: z
    .enum(['learn', 'sincos2d'])
    .default('learn')
    .describe('position embedding: learned, or fixed sines and cosines (arXiv:2104.02057)'),
  rep_size: z
    .union([z.boolean(), z.number().int().min(0)])
    .default(false)
    .describe('width of a tanh layer before the head; true: the width of the tokens; false or 0: none'),
  pool_type: z
    .enum(['gap', 'map', 'tok', '0', 'none'])
    .default('gap')
    .describe('mean of the tokens, attention pooling, a class token, the first token, or no pooling'),
  head_zeroinit: z
    .boolean()
    .default(true)
    .describe('initialise the head with zeros, so that training starts from the bias'),
});

/** What a config gives. */
export type VitInput = z.input<typeof vitOptions>;
/** Checked options, before the variant is put in. */
export type VitOptions = z.output<typeof vitOptions>;

/** Every option with its value. */
export interface VitConfig extends Omit<VitOptions, 'variant'> {
  readonly patch_size: [number, number];
  readonly width: number;
  readonly depth: number;
  readonly mlp_dim: number | null;
  readonly num_heads: number;
}

const defaults = {
  patch_size: [16, 16] as [number, number],
  width: 768,
  depth: 12,
  mlp_dim: null,
  num_heads: 12,
};

/** Defaults, overridden by the variant's sizes, overridden by what is given. */
export function resolveOptions({ variant, ...options }: VitOptions): VitConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...(variant ? decodeVariant(variant) : {}), ...given } as VitConfig;
}
