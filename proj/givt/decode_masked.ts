// Drawing all tokens at once and keeping those that the model is sure of, as MaskGIT does (arXiv:2202.04200).

import { z } from 'zod';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { density, guided } from '../../plugins/mixture';
import type { Givt } from './givt';
import { maskedPart, maskScheduleSchema } from './masking';

export const maskedGenerationSchema = z.strictObject({
  num_steps: z.int().min(1).default(16).describe('after each more tokens are known'),
  should_anneal_temperature: z.boolean().default(true).describe('the order is less random with each step'),
  choice_temperature: z.number().min(0).default(1).describe('how random the order is'),
  ordering: z.enum(['maskgit']).default('maskgit').describe('the likeliest tokens first'),
  schedule: maskScheduleSchema.default('cosine').describe('of how many are hidden: cosine or pow:EXPONENT'),
  cfg_inference_weight: z.number().min(0).default(0).describe('of guidance by the label; 0: none'),
});
export type MaskedGeneration = z.output<typeof maskedGenerationSchema>;

/**
 * Sequences, from one in which all tokens are hidden. Traced; no gradient.
 * @param key int32 [2]
 * @param labels int32 [batch]
 * @returns float [batch, seq_len, out_dim]
 */
export function generateMasked(
  model: Givt,
  scope: Scope,
  key: tf.Tensor,
  labels: tf.Tensor,
  settings: Partial<MaskedGeneration> = {},
): tf.Tensor {
  const options = maskedGenerationSchema.parse(settings);
  const { num_steps, cfg_inference_weight: weight } = options;
  const { seq_len, out_dim } = model.options;
  const batch = labels.shape[0] as number;
  const everyone = () => tf.fill([batch], 1, 'bool');

  type Loop = {
    readonly key: tf.Tensor;
    readonly step: tf.Tensor;
    readonly tokens: tf.Tensor;
    /** bool [batch, seq_len] */
    readonly hidden: tf.Tensor;
  };
  const step = (loop: Loop): Loop => {
    const { tokens, hidden: inputMask } = loop;
    const done = tf.div(tf.add(tf.cast(loop.step, 'float32'), 1), num_steps);
    const wanted = tf.floor(tf.mul(maskedPart(done, options.schedule), seq_len));
    const unknown = tf.sum(tf.cast(inputMask, 'float32'), 1, true);
    // At least one token more is known after each step.
    const left = tf.maximum(tf.minimum(tf.sub(unknown, 1), wanted), 0);

    const densityOf = (dropLabels?: tf.Tensor) =>
      density(model.decode(scope, tokens, { labels, inputMask, dropLabels }).logits, model.options);
    const guide = weight > 0;
    const [rest, ofSample] = tf.random.split(loop.key) as [tf.Tensor, tf.Tensor];
    const [key, ofComponent] = (guide ? tf.random.split(rest) : [rest, rest]) as [tf.Tensor, tf.Tensor];
    const from = guide ? guided(densityOf(), densityOf(everyone()), weight, ofComponent) : densityOf();
    const shown = tf.expandDims(inputMask, 2);
    const drawn = tf.where(shown, from.sample(ofSample), tokens);
    const logProb = from.logProb(drawn);
    // As in the original, tokens whose probability is too small for a float are equally unlikely.
    const sure = tf.log(logProb.rank === 3 ? tf.prod(tf.exp(logProb), 2) : tf.exp(logProb));

    const [next, ofOrder] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
    const { choice_temperature, should_anneal_temperature } = options;
    const temperature = should_anneal_temperature
      ? tf.mul(choice_temperature, tf.sub(1, done))
      : choice_temperature;
    const noise = tf.mul(temperature, tf.random.gumbel(ofOrder, sure.shape));
    const confidence = tf.where(inputMask, tf.add(sure, noise), tf.fill(sure.shape, Infinity));
    const hidden = tf.less(ranks(confidence), left);
    return {
      key: next,
      step: tf.add(loop.step, tf.scalar(1, 'int32')),
      tokens: tf.where(tf.expandDims(hidden, 2), tf.zerosLike(drawn), drawn),
      hidden,
    };
  };

  return tf.whileLoop<Loop>(({ step }) => tf.less(step, tf.scalar(num_steps, 'int32')), step, {
    key,
    step: tf.scalar(0, 'int32'),
    tokens: tf.fill([batch, seq_len, out_dim], 0),
    hidden: tf.fill([batch, seq_len], 1, 'bool'),
  }).tokens;
}

/** How many values of a row are smaller, or equal and before it: float of the shape of x. */
function ranks(x: tf.Tensor): tf.Tensor {
  const length = x.shape[1] as number;
  const order = tf.topk(tf.neg(x), length).indices;
  return tf.cast(tf.topk(tf.neg(tf.cast(order, 'float32')), length).indices, 'float32');
}
