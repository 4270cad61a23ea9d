// Depth as classes.

import * as tf from '../../core/tensor';
import { depthOfBin, type DepthOptions } from '../uvim';

/**
 * The middle of the likeliest bin, in metres.
 * @param logits float [batch, height, width, bins]
 * @returns float [batch, height, width]
 */
export const depthOf = (logits: tf.Tensor, options: DepthOptions): tf.Tensor =>
  depthOfBin(tf.argMax(logits, -1), logits.shape.at(-1) as number, options);
