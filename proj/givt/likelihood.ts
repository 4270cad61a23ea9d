// How likely the tokens of images are: what stage I makes of an image, and what the transformer says about it.

import type { Batch, Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { density } from '../../plugins/mixture';
import type { Adaptor } from './adaptor';
import type { Conditions, Givt } from './givt';
import { trainingMask } from './masking';
import { reparametrize, type Vae } from './vae';

/** Where the adaptor's parameters are among the model's, as in the original's checkpoints. */
export const adaptorName = 'params_adaptor';

export interface Stage1 {
  readonly model: Vae;
  readonly params: Params;
}

export interface Parts {
  readonly model: Givt;
  /** Between the tokens of both stages. */
  readonly map: Adaptor | null;
  /** Once the run is set up. */
  stage1(): Stage1;
}

/** The tokens of images, drawn as stage I does: float [batch, seq_len, out_dim]. @param key int32 [2] */
export function tokensOf(
  { map, ...parts }: Parts,
  params: Params,
  image: tf.Tensor,
  key: tf.Tensor,
): tf.Tensor {
  const stage1 = parts.stage1();
  const scope = Scope.reading(stage1.params, { dropout: key });
  const drawn = reparametrize(stage1.model.encode(scope, image), scope.rng('dropout'));
  const frozen = tf.stopGradient(drawn);
  return map ? map.forward(Scope.reading(params).child(adaptorName), frozen) : frozen;
}

/** The label and the image of a batch, as far as the model has a use for them. */
export function conditionsOf(
  model: Givt,
  scope: Scope,
  { labels, cond_image }: Batch,
  train: boolean,
): Conditions {
  const encoded =
    model.options.num_layers > 0 ? model.encode(scope, cond_image as tf.Tensor, train) : undefined;
  return { labels, encoded };
}

/**
 * With the noise of training: tokens are drawn, and hidden, and labels dropped.
 * @param key int32 [2]
 * @returns nll: of each token, float [batch, seq_len], or of each of its numbers, [batch, seq_len, out_dim]; mask: of a masked
 *   model, which tokens count, bool [batch, seq_len]
 */
export function likelihood(
  parts: Parts,
  params: Params,
  batch: Batch,
  key: tf.Tensor,
): { readonly nll: tf.Tensor; readonly mask?: tf.Tensor } {
  const { model } = parts;
  const [rest, ofDropout] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
  const [more, ofMask] = tf.random.split(rest) as [tf.Tensor, tf.Tensor];
  const [, ofLabels] = tf.random.split(more) as [tf.Tensor, tf.Tensor];
  const sequence = tokensOf(parts, params, batch.image as tf.Tensor, ofDropout);
  const [size, length] = sequence.shape as [number, number, number];
  const { style, drop_labels_probability: drop } = model.options;
  const mask = style === 'masked' ? trainingMask(ofMask, { ...model.options, batch: size, length }) : undefined; // prettier-ignore
  const scope = Scope.reading(params, { dropout: ofDropout });
  const { logits } = model.decode(scope, sequence, {
    ...conditionsOf(model, scope, batch, true),
    ...(drop > 0 && { dropLabels: tf.lessEqual(tf.random.uniform(ofLabels, [size]), drop) }),
    inputMask: mask,
    train: true,
  });
  return { nll: tf.neg(density(logits, model.options).logProb(sequence)), mask };
}
