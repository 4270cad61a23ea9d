import { z } from 'zod';
import type { GradientTransform, Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { mapNamed, zipNamed } from '../../core/tree';
import { adamOptions, scaleByAdam } from './adam';

export const trustRatioOptions = z.strictObject({
  min_norm: z.number().min(0).default(0).describe('norms count as at least this'),
  trust_coefficient: z.number().default(1).describe('factor of the ratio'),
  eps: z.number().min(0).default(0).describe("added to the update's norm"),
});

export const lambOptions = adamOptions.omit({ mu_dtype: true, nesterov: true }).extend({
  learning_rate: z
    .number()
    .describe('as in optax, whose update has its sign: -1, since the trainer multiplies by -lr'),
  eps: z.number().default(1e-6).describe('added to the root of the second moment'),
  weight_decay: z.number().default(0).describe('of all parameters, before the ratio is taken'),
});

const norm = (x: tf.Tensor) => tf.sqrt(tf.sum(tf.square(x)));

/** Each update times |p| / |update|; those of a parameter or an update of norm 0 stay. */
function byTrustRatio(
  updates: Params,
  params: Params,
  { min_norm, trust_coefficient, eps }: z.output<typeof trustRatioOptions>,
): Params {
  return zipNamed<tf.Tensor, tf.Tensor>([updates, params], (update, param) => {
    const [ofParam, ofUpdate] = [param as tf.Tensor, update as tf.Tensor].map((x) =>
      tf.maximum(norm(x), min_norm),
    ) as [tf.Tensor, tf.Tensor];
    const ratio = tf.div(tf.mul(trust_coefficient, ofParam), tf.add(ofUpdate, eps));
    const zero = tf.logicalOr(tf.equal(ofParam, 0), tf.equal(ofUpdate, 0));
    return tf.mul(update as tf.Tensor, tf.where(zero, 1, ratio));
  });
}

/** The layer-wise rates of LARS and LAMB (arXiv:1708.03888): update |p| / |update|. No state. */
export function scaleByTrustRatio(options: z.output<typeof trustRatioOptions>): GradientTransform {
  return {
    init: () => ({}),
    update: (updates, _, params) => ({ updates: byTrustRatio(updates, params, options), state: {} }),
  };
}

/** LAMB (arXiv:1904.00962): Adam with weight decay, and a rate for each array by its norm. State: that of Adam. */
export function lamb({
  learning_rate,
  weight_decay,
  ...options
}: z.output<typeof lambOptions>): GradientTransform {
  const adam = scaleByAdam({ ...options, mu_dtype: null, nesterov: false });
  return {
    init: adam.init,
    update(grads, state, params) {
      const { updates, state: next } = adam.update(grads, state, params);
      const decayed = zipNamed<tf.Tensor, tf.Tensor>([updates, params], (update, param) =>
        tf.add(update as tf.Tensor, tf.mul(weight_decay, param as tf.Tensor)),
      );
      const scaled = byTrustRatio(decayed, params, { min_norm: 0, trust_coefficient: 1, eps: 0 });
      return {
        updates: mapNamed<tf.Tensor, tf.Tensor>(scaled, (_, update) => tf.mul(-learning_rate, update)),
        state: next,
      };
    },
  };
}
