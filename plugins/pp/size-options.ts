// Options that ops on images share.

import { z } from 'zod';
import { resizeMethods } from './resize';

export const side = z.int().min(1);
export const sizeOption = z.union([side, z.tuple([side, side])]);
/** As the original's, with 0 for None. */
export const optionalSize = z
  .union([sizeOption, z.literal(0)])
  .nullable()
  .default(null);
export const methodOption = z.enum(resizeMethods).describe('how new pixels are made from old ones');
export const antialiasOption = z
  .boolean()
  .describe('smooth before shrinking (bilinear and bicubic); the original leaves it off');

export type Size = z.output<typeof sizeOption>;
export const pair = (size: Size): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size;
