// What evaluators ask of a trained JetFormer.

import { z } from 'zod';
import type { Batch, Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { predictWith } from '../../core/train/predict';
import { mapTree, type NestedRecord, type Tree } from '../../core/tree';
import { batchKey } from '../../plugins/evaluators';
import { likelihood, type Parts } from './likelihood';
import { measure } from './loss';
import { wordLogProbs } from './model';
import { sampleImages, sampleTexts } from './sample';

const length = z.int().min(1);

type Names = 'validation' | 'sample_images' | 'sample_text' | 'score_captions' | 'image_representation';

/** Predict functions of a run's parts. What they draw depends on the batch and `sampling_seed`. */
export function predictFns(parts: Parts): Record<Names, PredictFn> {
  const { model, tokenizer, options } = parts;
  const { cfg_inference_weight: guidance, temperature, temperature_probs } = options.sample_images;
  /** Of a batch without images it depends on the texts. */
  const keyOf = (batch: Batch) =>
    batchKey({ ...batch, image: (batch.image ?? batch.text) as tf.Tensor }, options.sampling_seed);
  const bool = (x: tf.Tensor | undefined) => x && tf.cast(x, 'bool');
  const column = (words: tf.Tensor) => (words.rank === 1 ? tf.expandDims(words, 1) : words);
  const tokensOf = (params: Params, image: tf.Tensor, key: tf.Tensor) =>
    tokenizer.encode(Scope.reading(params), image, key);

  return {
    /** What training measures, without its noise: the means of a batch, for each of its examples. */
    validation(params, batch) {
      const found = likelihood(parts, params, batch, keyOf(batch), { train: false });
      const { metrics } = measure(found, options, bool(batch._mask));
      const spread = (mean: tf.Tensor) => tf.broadcastTo(mean, [found.text.shape[0] as number]);
      return { output: mapTree<tf.Tensor, tf.Tensor>({ ...metrics }, spread), out: {} };
    },

    /** Images of texts: `logits` are the pixels. Takes `text`, and `text_mask` where not all words count. */
    sample_images: predictWith(
      z.strictObject({
        decode_len: length.default(options.patch_pca.code_len).describe('tokens'),
      }),
      (params, batch, { decode_len }) => {
        const [ofTokens, ofNoise] = tf.random.split(keyOf(batch)) as [tf.Tensor, tf.Tensor];
        const given = { text: column(batch.text as tf.Tensor), textMask: bool(batch.text_mask) };
        const settings = { guidance, scales: temperature, probs: temperature_probs, length: decode_len };
        const { tokens, logProbs } = sampleImages(model, Scope.reading(params), given, ofTokens, settings);
        const logits = tokenizer.decode(params, tokens, ofNoise);
        return { output: { logits, out_tokens: tokens, out_logp: logProbs }, out: {} };
      },
    ),

    /** Words about images, after those of `text` that `text_mask` gives: int32 [batch, decode_len]. */
    sample_text: predictWith(
      z.strictObject({
        decode_len: length.default(64).describe('words'),
        temperature: z.number().positive().default(1e-5).describe('of the words; near 0: the likeliest'),
      }),
      (params, batch, { decode_len, temperature }) => {
        const { tokens: image } = tokensOf(params, batch.image as tf.Tensor, tf.tensor([0, 0], [2], 'int32'));
        const given = { image, text: batch.text, textMask: bool(batch.text_mask) };
        const settings = { temperature, length: decode_len };
        const { tokens } = sampleTexts(model, Scope.reading(params), given, keyOf(batch), settings);
        return { output: tokens, out: {} };
      },
    ),

    /**
     * The log-likelihood after each image of each of `_label_tokens`, int32 [texts, length]: float [batch, texts].
     * `_label_masks` and `_loss_masks` of the same shape say which words are seen, and which count; default: all.
     */
    score_captions(params, batch) {
      const scope = Scope.reading(params);
      const { tokens: image } = tokensOf(params, batch.image as tf.Tensor, keyOf(batch));
      const size = image.shape[0] as number;
      const texts = batch._label_tokens as tf.Tensor;
      const all = () => tf.onesLike(texts);
      const xs = { text: texts, seen: batch._label_masks ?? all(), counted: batch._loss_masks ?? all() };
      const rows = (x: tf.Tensor) => tf.broadcastTo(tf.expandDims(x, 0), [size, x.shape[0] as number]);
      const score = (_: object, { text, seen, counted }: typeof xs) => {
        const given = {
          text: rows(text),
          textMask: bool(rows(seen)),
          image,
          textFirst: tf.fill([size], 0, 'bool'),
        };
        const logProbs = wordLogProbs(model.logits(scope, given, false).text, given.text);
        const kept = tf.where(tf.cast(rows(counted), 'bool'), logProbs, 0);
        return [{}, tf.sum(kept, 1)] as const;
      };
      const [, scores] = tf.scan(score, {}, xs);
      return { output: tf.transpose(scores), out: {} };
    },

    /** Means over an image's tokens after each part of the model; `pre_logits` is for few-shot evaluation. */
    image_representation(params, batch) {
      const { tokens, patches, all } = tokensOf(params, batch.image as tf.Tensor, keyOf(batch));
      const size = tokens.shape[0] as number;
      const given = {
        text: tf.fill([size, 0], 0, 'int32'),
        image: tokens,
        textFirst: tf.fill([size], 0, 'bool'),
      };
      const { out } = model.logits(Scope.reading(params), given, false);
      const found = { patch_emb: patches, ...(options.adaptor && { nvp: all }), ...out };
      const means = mapTree<tf.Tensor, tf.Tensor, NestedRecord<tf.Tensor>>(found as Tree<tf.Tensor>, (x) =>
        tf.mean(x, 1),
      );
      return { output: means.pre_logits as tf.Tensor, out: means };
    },
  };
}
