// Depth as classes.

import { z } from 'zod';
import * as tf from '../../core/tensor';

const metres = z.number().min(0);

export const depthFields = {
  min_depth: metres.default(0.001).describe('of depth: lower end of the first bin, in metres'),
  max_depth: metres.default(10).describe('of depth: upper end of the last bin, in metres'),
};
export type DepthOptions = z.output<z.ZodObject<typeof depthFields>>;

/**
 * The middle of the likeliest bin, in metres.
 * @param logits float [batch, height, width, bins]
 * @returns float [batch, height, width]
 */
export function depthOf(logits: tf.Tensor, { min_depth, max_depth }: DepthOptions): tf.Tensor {
  const bin = tf.cast(tf.argMax(logits, -1), 'float32');
  const part = tf.div(tf.add(bin, 0.5), logits.shape.at(-1) as number);
  return tf.add(tf.mul(part, max_depth - min_depth), min_depth);
}
