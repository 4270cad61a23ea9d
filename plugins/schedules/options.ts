// The options of each shape, under the original's names.

import { z } from 'zod';
import { duration } from '../../core/config/schema';

const common = {
  mult: z.number().default(1).describe('where the decay starts; tells the schedules of a list apart'),
  scale_with_batchsize: z
    .boolean()
    .default(false)
    .describe('multiplies by batch_size / 256 (linear scaling, arXiv:1706.02677)'),
  ...duration('warmup', 'linear warm-up from 0'),
  ...duration('cooldown', 'linear cool-down to 0 at the end of the run'),
};

export const cosineOptions = z.strictObject(common);
export type CommonOptions = z.output<typeof cosineOptions>;

export const decayOptions = z.strictObject({
  ...common,
  end: z.number().optional().describe('value at the end of the run (default 0)'),
  linear_end: z.number().optional().describe('another name for end, which wins if both are set'),
  power: z.number().default(1).describe('exponent of the remaining fraction of the run; 1 is linear'),
});
export type DecayOptions = z.output<typeof decayOptions>;

export const rsqrtOptions = z.strictObject({
  ...common,
  timescale: z.number().default(10_000).describe('steps after which the rate is down to 1/sqrt(2)'),
  ...duration('timescale', 'the timescale'),
  shift: z
    .number()
    .default(0)
    .describe('steps by which the decay is ahead, to continue another run smoothly'),
  ...duration('shift', 'the shift'),
});
export type RsqrtOptions = z.output<typeof rsqrtOptions>;

const ascending = (list: readonly number[]) => list.every((x, i) => i === 0 || x >= (list[i - 1] as number));

export const stairOptions = z.strictObject({
  ...common,
  steps: z
    .array(z.number())
    .default([])
    .refine(ascending, 'expected ascending steps')
    .describe('ascending steps at which the multiplier changes; none means a constant rate'),
  mults: z
    .array(z.number())
    .default([])
    .describe('the multiplier from each of the steps on (not cumulative)'),
});
export type StairOptions = z.output<typeof stairOptions>;
