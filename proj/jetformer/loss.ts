// The loss of training and what is measured: bits of images and nats of texts, each as the first part and as the second.

import * as tf from '../../core/tensor';
import type { Likelihood } from './likelihood';
import type { TrainingOptions } from './options';
import { byExample } from './sequence';

export interface Measured {
  /** Scalar. */
  readonly loss: tf.Tensor;
  /** Scalars by the original's names; NaN where a batch has no such example. */
  readonly metrics: Readonly<Record<string, tf.Tensor>>;
}

/**
 * Means over the examples of a batch. What can't occur, since the text is always first or never, isn't measured.
 * @param counted bool [batch]: examples that count; default: all
 */
export function measure(
  { text, image, imageTokens, logdet, textFirst, dropped }: Likelihood,
  { loss_on_prefix, text_loss_weight, text_prefix_prob }: TrainingOptions,
  counted?: tf.Tensor,
): Measured {
  const imageFirst = tf.logicalNot(textFirst);
  const shown = tf.logicalNot(dropped);
  const everybody = tf.onesLike(textFirst);
  const where = (mask: tf.Tensor) => (counted ? tf.logicalAnd(mask, counted) : mask);
  const mean = (x: tf.Tensor, mask: tf.Tensor = everybody) => {
    const weights = tf.cast(where(mask), 'float32');
    return tf.div(tf.sum(tf.mul(x, weights)), tf.sum(weights));
  };
  const [textCanBeFirst, imageCanBeFirst] = [text_prefix_prob > 0, text_prefix_prob < 1];
  const each = {
    ...(textCanBeFirst && {
      nll_text_prefix: mean(text, tf.logicalAnd(textFirst, shown)),
      nll_image_suffix: mean(image, textFirst),
    }),
    ...(imageCanBeFirst && {
      nll_text_suffix: mean(text, imageFirst),
      nll_image_prefix: mean(image, tf.logicalAnd(imageFirst, shown)),
    }),
  };
  if (loss_on_prefix) {
    const nll_text = mean(text, tf.logicalOr(shown, imageFirst));
    const nll_image = mean(image, tf.logicalOr(shown, textFirst));
    const loss = tf.add(tf.mul(nll_text, text_loss_weight), nll_image);
    return { loss, metrics: { ...each, nll_text, nll_image, logdet: mean(logdet), loss } };
  }
  const loss = mean(byExample(textFirst, image, tf.mul(text, text_loss_weight)));
  const suffixes = {
    ...(imageCanBeFirst && { nll_text: mean(text, imageFirst) }),
    ...(textCanBeFirst && {
      nll_image: mean(image, textFirst),
      nll_image_tokens: mean(imageTokens, textFirst),
      logdet: mean(logdet, textFirst),
    }),
  };
  return { loss, metrics: { ...each, ...suffixes, loss } };
}

/** The deviation of noise on pixels after `step` (int32 scalar) of `total` updates: float scalar; absent: none. */
export function noiseScale(
  { noise_scale: start, noise_min: end }: TrainingOptions,
  step: tf.Tensor,
  total: number,
): tf.Tensor | undefined {
  if (start <= 0) return undefined;
  const progress = tf.div(tf.cast(step, 'float32'), total);
  return tf.add(tf.mul(tf.mul(start - end, tf.add(1, tf.cos(tf.mul(Math.PI, progress)))), 0.5), end);
}
