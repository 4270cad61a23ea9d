import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { stateless } from '../leafwise';
import { norm } from './norms';

export const trustRatioOptions = z.strictObject({
  min_norm: z.number().min(0).default(0).describe('norms count as at least this'),
  trust_coefficient: z.number().default(1).describe('factor of the ratio'),
  eps: z.number().min(0).default(0).describe("added to the update's norm"),
});

/**
 * The layer-wise rates of LARS and LAMB (arXiv:1708.03888): each update times |p| / |update|; those of a parameter or an
 * update of norm 0 stay. No state.
 */
export function scaleByTrustRatio({
  min_norm,
  trust_coefficient,
  eps,
}: z.output<typeof trustRatioOptions>): GradientTransform {
  return stateless((update, param) => {
    const ofParam = tf.maximum(norm(param), min_norm);
    const ofUpdate = tf.maximum(norm(update), min_norm);
    const ratio = tf.div(tf.mul(trust_coefficient, ofParam), tf.add(ofUpdate, eps));
    const zero = tf.logicalOr(tf.equal(ofParam, 0), tf.equal(ofUpdate, 0));
    return tf.mul(update, tf.where(zero, 1, ratio));
  });
}
