// How likely texts and images are, in nats for each word and bits for each pixel, with the noise of training.

import { catalogue } from '../../core/errors';
import type { Batch, Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { standardNormalNll } from '../../plugins/mixture';
import { pixelStep } from '../jet';
import type { Jetformer } from './model';
import type { TrainingOptions } from './options';
import { byExample } from './sequence';
import type { Tokenizer } from './tokens';

/** Of each example: float [batch], but for the two of bool [batch]. */
export interface Likelihood {
  /** Mean over the words that count, in nats. */
  readonly text: tf.Tensor;
  /** Bits for each pixel and channel: `imageTokens` less `logdet`. */
  readonly image: tf.Tensor;
  readonly imageTokens: tf.Tensor;
  readonly logdet: tf.Tensor;
  readonly textFirst: tf.Tensor;
  /** Whose first part was hidden. */
  readonly dropped: tf.Tensor;
}

export interface Parts {
  readonly model: Jetformer;
  readonly tokenizer: Tokenizer;
  readonly options: TrainingOptions;
}

const errors = catalogue('jetformer', {
  trainingBatch: (v: { missing: readonly string[] }) => ({
    what: `The batch has no ${v.missing.map((name) => `"${name}"`).join(', ')}.`,
    fix: 'let pp end with keep("image", "text", "text_mask", "text_loss").',
  }),
});

/** Throws if a batch lacks what training needs. */
export function checkBatch(batch: Batch): void {
  const missing = ['image', 'text', 'text_mask', 'text_loss'].filter((name) => !batch[name]);
  if (missing.length > 0) throw errors.trainingBatch({ missing });
}

/**
 * @param key int32 [2]
 * @param train with its noise and its dropping of texts
 * @param noiseScale float scalar: deviation of the noise on 8-bit pixels; absent: none
 */
export function likelihood(
  { model, tokenizer, options }: Parts,
  params: Params,
  batch: Batch,
  key: tf.Tensor,
  { train, noiseScale }: { readonly train: boolean; readonly noiseScale?: tf.Tensor },
): Likelihood {
  checkBatch(batch);
  const { text, text_mask, text_loss } = batch as Record<string, tf.Tensor>;
  const image = tf.cast(batch.image as tf.Tensor, 'float32');
  const size = image.shape[0] as number;
  const [rest, dropout, ofOrder, ofLabels, ofNoise] = tf.random.split(key, 5) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // prettier-ignore
  const [, ofDeviation, ofInput] = tf.random.split(rest, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const textFirst = tf.random.bernoulli(ofOrder, options.text_prefix_prob, [size]);
  const nobody = tf.fill([size], 0, 'bool');

  const scaleOf = (noise: tf.Tensor) =>
    options.rgb_noise_on_image_prefix
      ? noise
      : byExample(textFirst, tf.reshape(noise, [1, 1, 1, 1]), tf.scalar(0));
  const seen = noiseScale ? withPixelNoise(image, ofNoise, scaleOf(noiseScale)) : image;
  const scope = Scope.reading(params, { dropout });
  const { tokens: clean, noise, logdet: sumLogdet } = tokenizer.encode(scope, seen, dropout);

  let tokens = clean;
  if (train && options.input_noise_std > 0) {
    const deviation = tf.random.uniform(ofDeviation, [size, 1, 1], 0, options.input_noise_std);
    const ofImages = byExample(textFirst, deviation, tf.scalar(0));
    tokens = tf.add(tokens, tf.mul(ofImages, tf.random.normal(ofInput, tokens.shape)));
  }
  if (options.stop_grad_nvp_prefix) tokens = byExample(textFirst, tokens, tf.stopGradient(tokens));
  const probability = model.options.drop_labels_probability;
  const dropped =
    train && probability > 0
      ? tf.logicalAnd(tf.lessEqual(tf.random.uniform(ofLabels, [size]), probability), textFirst)
      : nobody;

  const given = { text, image: tokens, textFirst, textMask: text_mask, dropPrefix: dropped };
  const logits = model.logits(scope, given as Parameters<Jetformer['logits']>[1], train);

  const xent = weightedSoftmaxXent({ label_smoothing: 0, normalize: true });
  const ofWords = {
    logits: logits.text,
    labels: tf.cast(text!, 'int32'),
    weights: tf.cast(text_loss!, 'float32'),
  };
  const pixels = image.size / size;
  const bits = (nats: tf.Tensor) => tf.div(nats, Math.log(2));
  const ofTokens = tf.neg(tf.sum(model.distribution(logits.image).logProb(tokens), 1));
  const sum = noise ? tf.add(ofTokens, tf.sum(standardNormalNll(noise), [1, 2])) : ofTokens;
  const imageTokens = bits(tf.div(sum, pixels));
  // Pixels are in [-1, 1], and bits are those of 0 to 255.
  const logdet = bits(tf.add(tf.div(sumLogdet, pixels), Math.log(pixelStep)));
  return {
    text: xent(ofWords, { reduction: false }),
    image: tf.sub(imageTokens, logdet),
    imageTokens,
    logdet,
    textFirst,
    dropped,
  };
}

/** 8-bit pixels with noise, rounded, and scaled to about [-1, 1] again. @param scale float [] or [batch, 1, 1, 1] */
function withPixelNoise(image: tf.Tensor, key: tf.Tensor, scale: tf.Tensor): tf.Tensor {
  const levels = tf.round(tf.mul(tf.add(image, 1), 127.5));
  const noisy = tf.round(tf.add(levels, tf.mul(scale, tf.random.normal(key, image.shape))));
  return tf.sub(tf.div(noisy, 127.5), 1);
}
