// The model's options: the original's names and defaults.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import { didYouMean } from '../../core/suggest';
import { numClasses } from '../layers';

interface Size {
  readonly hidden_dim: number;
  readonly num_blocks: number;
  readonly channels_mlp_dim: number;
  readonly tokens_mlp_dim: number;
}

const sizes: Readonly<Record<string, Size>> = {
  S: { hidden_dim: 512, num_blocks: 8, channels_mlp_dim: 2048, tokens_mlp_dim: 256 },
  B: { hidden_dim: 768, num_blocks: 12, channels_mlp_dim: 3072, tokens_mlp_dim: 384 },
  L: { hidden_dim: 1024, num_blocks: 24, channels_mlp_dim: 4096, tokens_mlp_dim: 512 },
  H: { hidden_dim: 1280, num_blocks: 32, channels_mlp_dim: 5120, tokens_mlp_dim: 640 },
};

const errors = catalogue('mixer', {
  missing: (v: { names: readonly string[] }) => ({
    what: `The model mlp_mixer doesn't know its ${v.names.join(', ')}.`,
    fix: 'name a variant, such as "B/16", or set them.',
  }),
});

/** `B/16`: a size and the side of a patch. */
const parseVariant = (variant: string) => /^(\w+)\/(\d+)$/.exec(variant);
const isVariant = (variant: string) => (parseVariant(variant)?.[1] ?? '') in sizes;

const positive = z.number().int().min(1);
const ofSize = (what: string) => positive.optional().describe(`${what}; default: the variant's`);

export const mixerOptions = z.strictObject({
  num_classes: numClasses('the mean of the tokens'),
  variant: z
    .string()
    .refine(isVariant, {
      error: ({ input }) =>
        `expected NAME/PATCH with NAME one of ${Object.keys(sizes).join(', ')}.${didYouMean(String(input).split('/')[0] as string, Object.keys(sizes))}`.replace(
          /\.$/,
          '',
        ),
    })
    .nullable()
    .optional()
    .describe('a named size and the side of a patch: "B/16"; names: S, B, L, H. Other options override it'),
  patch_size: z
    .tuple([positive, positive])
    .optional()
    .describe("height and width of a patch in pixels; default: the variant's"),
  num_blocks: z.int().min(0).optional().describe("number of blocks; default: the variant's"),
  hidden_dim: ofSize('width of the tokens'),
  tokens_mlp_dim: ofSize('width inside the MLPs across tokens'),
  channels_mlp_dim: ofSize('width inside the MLPs across channels'),
  stoch_depth: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('probability of leaving out a branch of the last block in training; earlier blocks have less'),
  model_name: z.string().nullable().optional().describe('has no effect; configs of the original may have it'),
});
export type MixerOptions = z.output<typeof mixerOptions>;

export interface MixerConfig extends Size {
  readonly num_classes: number | null;
  readonly patch_size: readonly [number, number];
  readonly stoch_depth: number;
}

/** @throws UserError naming what neither the variant nor an option says */
export function resolveOptions({ variant, model_name: _, ...options }: MixerOptions): MixerConfig {
  const [, name = '', patch] = parseVariant(variant ?? '') ?? [];
  const side = Number(patch);
  const named = patch === undefined ? {} : { patch_size: [side, side], ...sizes[name] };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config = { ...named, ...given } as Partial<MixerConfig>;
  const needed = ['patch_size', 'num_blocks', 'hidden_dim', 'tokens_mlp_dim', 'channels_mlp_dim'] as const;
  const names = needed.filter((key) => config[key] === undefined);
  if (names.length > 0) throw errors.missing({ names });
  return config as MixerConfig;
}
