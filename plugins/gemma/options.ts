// The model's options: the original's names, and the sizes of its variants.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import { rematPolicies } from '../../core/tensor';

const queryScales = ['rsqrt_head_dim', 'rsqrt_emb_per_head'] as const;

export interface GemmaSize {
  readonly width: number;
  readonly depth: number;
  readonly mlp_dim: number;
  readonly num_heads: number;
  readonly num_kv_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly query_pre_attn_norm?: (typeof queryScales)[number];
  readonly attn_logits_softcap?: number;
  readonly final_logits_softcap?: number;
  readonly post_norms?: boolean;
}

const vocab_size = 256_000;
const gemma2 = { vocab_size, attn_logits_softcap: 50, final_logits_softcap: 30, post_norms: true };

/** Gemma (arXiv:2403.08295) and Gemma 2 (arXiv:2408.00118). */
export const gemmaVariants: Readonly<Record<string, GemmaSize>> = {
  gemma_2b: {
    vocab_size,
    width: 2048,
    depth: 18,
    mlp_dim: 16_384,
    num_heads: 8,
    num_kv_heads: 1,
    head_dim: 256,
  },
  gemma_7b: {
    vocab_size,
    width: 3072,
    depth: 28,
    mlp_dim: 24_576,
    num_heads: 16,
    num_kv_heads: 16,
    head_dim: 256,
  },
  gemma2_2b: {
    ...gemma2,
    width: 2304,
    depth: 26,
    mlp_dim: 9216,
    num_heads: 8,
    num_kv_heads: 4,
    head_dim: 256,
  },
  gemma2_9b: {
    ...gemma2,
    width: 3584,
    depth: 42,
    mlp_dim: 14_336,
    num_heads: 16,
    num_kv_heads: 8,
    head_dim: 256,
  },
  gemma2_27b: {
    ...gemma2,
    width: 4608,
    depth: 46,
    mlp_dim: 36_864,
    num_heads: 32,
    num_kv_heads: 16,
    head_dim: 128,
    query_pre_attn_norm: 'rsqrt_emb_per_head',
  },
};

/** Options that every model with these blocks has. */
export const blockFields = {
  norm_eps: z.number().positive().optional().describe('not used: it is 1e-6 always, as in the original'),
  dropout: z.number().min(0).max(1).default(0).describe('rate of dropout after attention and MLP'),
  dropout_bdims: z.array(z.int()).default([]).describe('dimensions along which dropout is the same'),
  embed_dtype: z.literal('float32').default('float32').describe('of the tokens; the original has no other'),
  cache_dtype: z
    .enum(['float32', 'bfloat16', 'float16'])
    .nullable()
    .default(null)
    .describe('storage of the keys and values that decoding keeps; null: that of the tokens'),
  scan: z.boolean().default(false).describe('the blocks are one loop, and their parameters are stacked'),
  remat_policy: z
    .enum(rematPolicies)
    .default('none')
    .describe('what the backward pass may keep of a block; none: there is no rematerialisation'),
};

const size = (what: string) => z.int().min(1).optional().describe(`${what}; default: the variant's`);
const softcap = (what: string) =>
  z
    .number()
    .min(0)
    .optional()
    .describe(`${what} stay within this, by a tanh; 0: as they are; default: the variant's`);

export const gemmaOptions = z.strictObject({
  variant: z
    .string()
    .optional()
    .describe(`a named size: ${Object.keys(gemmaVariants).join(', ')}. Other options override it`),
  width: size('width of the tokens'),
  depth: z.int().min(0).optional().describe("number of blocks; default: the variant's"),
  mlp_dim: size('width inside the MLPs'),
  num_heads: size('heads of queries'),
  num_kv_heads: size('heads of keys and values, a divisor of num_heads; several queries share one'),
  head_dim: size('width of a head'),
  vocab_size: size('number of words'),
  query_pre_attn_norm: z
    .enum(queryScales)
    .optional()
    .describe(
      "factor of queries: (head_dim)^-0.5 or (width / num_heads)^-0.5; default: the variant's, or the first",
    ),
  final_logits_softcap: softcap('logits'),
  attn_logits_softcap: softcap('logits of attention'),
  post_norms: z
    .boolean()
    .optional()
    .describe("norms also after attention and MLP; default: the variant's, or false"),
  ...blockFields,
});
export type GemmaOptions = z.output<typeof gemmaOptions>;

export interface GemmaConfig
  extends Required<GemmaSize>, Omit<GemmaOptions, keyof GemmaSize | 'variant' | 'norm_eps'> {}

/** What the blocks take of it. */
export type BlockConfig = Omit<GemmaConfig, 'vocab_size' | 'final_logits_softcap' | 'embed_dtype'>;

const errors = catalogue('gemma', {
  missing: (v: { names: readonly string[] }) => ({
    what: `Gemma doesn't know its ${v.names.join(', ')}.`,
    fix: `name a variant (${Object.keys(gemmaVariants).join(', ')}), or set them.`,
  }),
  heads: (v: { num_heads: number; num_kv_heads: number }) => ({
    what: `${v.num_heads} heads of queries can't share ${v.num_kv_heads} of keys.`,
    fix: 'choose num_kv_heads so that it divides num_heads.',
  }),
});

const required = [
  'width',
  'depth',
  'mlp_dim',
  'num_heads',
  'num_kv_heads',
  'head_dim',
  'vocab_size',
] as const;

/** Options with the variant's sizes filled in. */
export function resolveOptions({ variant = '', ...own }: GemmaOptions): GemmaConfig {
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const config = {
    query_pre_attn_norm: 'rsqrt_head_dim',
    attn_logits_softcap: 0,
    final_logits_softcap: 0,
    post_norms: false,
    ...gemmaVariants[variant],
    ...given,
  } as unknown as GemmaConfig;
  const missing = required.filter((name) => config[name] === undefined);
  if (missing.length > 0) throw errors.missing({ names: missing });
  checkHeads(config);
  return config;
}

/** Throws if heads can't share keys evenly. */
export function checkHeads(config: Pick<GemmaSize, 'num_heads' | 'num_kv_heads'>): void {
  if (config.num_heads % config.num_kv_heads !== 0) throw errors.heads(config);
}
