// Depth in bins of equal size.

import { z } from 'zod';
import * as tf from '../../core/tensor';

const metres = z.number().min(0);

export const depthFields = {
  min_depth: metres.default(0.001).describe('of depth: lower end of the first bin, in metres'),
  max_depth: metres.default(10).describe('of depth: upper end of the last bin, in metres'),
};
export type DepthOptions = z.output<z.ZodObject<typeof depthFields>>;

/** The middle of a bin, in metres: int32 -> float of the same shape. */
export function depthOfBin(bin: tf.Tensor, bins: number, { min_depth, max_depth }: DepthOptions): tf.Tensor {
  const middle = tf.div(tf.add(tf.cast(bin, 'float32'), 0.5), bins);
  return tf.add(tf.mul(middle, max_depth - min_depth), min_depth);
}
