// How many bits a flow needs for an image.

import * as tf from '../../core/tensor';
import { standardNormalNll } from '../../plugins/mixture';
import type { Flow } from './model';

/** A step of 8-bit pixels that are scaled to [-1, 1]. */
export const pixelStep = 1 / 127.5;

export interface Bits {
  readonly bits: tf.Tensor;
  readonly nll: tf.Tensor;
  readonly logdet: tf.Tensor;
}

/**
 * Bits for each number of 8-bit images, of which the flow saw x, with uniform noise that fills their steps: the negative
 * log-likelihood of z under a standard normal, less the log-determinant. `nll` and `logdet` are the two parts.
 * @returns float [batch] each
 */
export function bitsPerDim({ x: z, logdet }: Flow): Bits {
  const dims = z.size / (z.shape[0] as number);
  const nll = tf.sum(tf.reshape(standardNormalNll(z, pixelStep), [-1, dims]), 1);
  const inBits = (nats: tf.Tensor) => tf.div(nats, Math.log(2) * dims);
  return { bits: inBits(tf.sub(nll, logdet)), nll: inBits(nll), logdet: inBits(logdet) };
}
