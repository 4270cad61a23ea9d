// Options of both ResNets: the original's names and defaults.

import { z } from 'zod';
import { numClasses } from '../layers';

/** Numbers of units in each stage. */
const depths: Readonly<Record<string, readonly number[]>> = {
  26: [2, 2, 2, 2],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
  200: [3, 24, 36, 3],
};
const known = Object.keys(depths).join(', ');

export const bitOptions = z.strictObject({
  num_classes: numClasses('the mean over the image'),
  width: z
    .number()
    .min(0.5)
    .default(1)
    .describe('factor of the numbers of channels: the first stage has 64 times it, a multiple of 32'),
  depth: z
    .union([
      z.number().refine((depth) => String(depth) in depths, { error: `expected one of ${known}, or a list` }),
      z.array(z.number().int().min(1)).min(1),
    ])
    .default(50)
    .describe(`${known}; or the number of units in each stage`),
});
export type BitOptions = z.output<typeof bitOptions>;

export const bitPaperOptions = bitOptions.extend({
  head_zeroinit: z.boolean().default(true).describe('start the head at zero, otherwise at LeCun normal'),
});
export type BitPaperOptions = z.output<typeof bitPaperOptions>;

/** Units in each stage. */
export const unitsOf = ({ depth }: BitOptions): readonly number[] =>
  typeof depth === 'number' ? (depths[depth] as readonly number[]) : depth;

/** Channels inside the units of the first stage; each further stage has twice as many. */
export const channelsOf = ({ width }: BitOptions): number => Math.trunc(64 * width);
