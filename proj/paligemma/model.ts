// An image tower whose tokens are a prefix of a language model's text.

import { z } from 'zod';
import type { Batch, CallOptions, Model } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { type NestedRecord } from '../../core/tree';
import { type Gemma, gemma, gemmaOptions, gemmaVariants, loadGemma } from '../../plugins/gemma';
import { loadTowers, type MakeTower, towerLoadOptions } from '../../plugins/towers';
import { attentionMask } from './mask';
import { releasedFile } from './released';

/** Gemma as PaliGemma has it: a named variant, in a loop, with as little kept as can be. */
const languageOptions = gemmaOptions
  .pick({ vocab_size: true, dropout: true, final_logits_softcap: true, attn_logits_softcap: true })
  .extend({
    variant: z
      .enum(Object.keys(gemmaVariants) as [string, ...string[]])
      .default('gemma_2b')
      .describe('a named size'),
    scan: gemmaOptions.shape.scan.default(true),
    cache_dtype: gemmaOptions.shape.cache_dtype.default('bfloat16'),
    remat_policy: gemmaOptions.shape.remat_policy.default('nothing_saveable'),
  });

const towerOptions = z.record(z.string(), z.unknown()).default({});

export const paligemmaOptions = z.strictObject({
  img_model: z.string().default('vit').describe('name of the model for images'),
  img: towerOptions.describe('options of the image tower'),
  llm_model: z
    .enum(['proj.paligemma.gemma_bv', 'ppp.gemma'])
    .default('proj.paligemma.gemma_bv')
    .describe('the language model: a variant of Gemma, or Gemma with sizes of your own'),
  llm: towerOptions.describe('options of the language model'),
});
export type PaligemmaOptions = z.output<typeof paligemmaOptions>;

/** An image and a question, as the language model gets them. */
export interface Prompt {
  /** float32 [batch, length, width]: the image's tokens, and after them those of the text */
  readonly x: tf.Tensor;
  /** int32 [batch, length]: see `attentionMask` */
  readonly maskAr: tf.Tensor;
  /** How many of the tokens are the image's. */
  readonly prefix: number;
  readonly zimg: tf.Tensor;
  readonly ztxt: tf.Tensor;
  readonly out: NestedRecord<tf.Tensor>;
}

export interface Paligemma extends Model {
  readonly llm: Gemma;
  /** The image tower: tokens [batch, length, width], and its intermediates. */
  embedImage(scope: Scope, image: tf.Tensor, call?: CallOptions): Pick<Prompt, 'zimg' | 'out'>;
  /**
   * @param text int32 [batch, length]
   * @param maskAr int32 [batch, length]
   */
  prompt(scope: Scope, image: tf.Tensor, text: tf.Tensor, maskAr: tf.Tensor, call?: CallOptions): Prompt;
}

/** The model of these options. */
export function paligemma(options: PaligemmaOptions, make: MakeTower): Paligemma {
  const sized = options.llm_model === 'ppp.gemma';
  const llmOptions = parseOptions(sized ? gemmaOptions : languageOptions, options.llm, 'model.llm');
  const llm = gemma(gemmaOptions.parse(llmOptions));
  const img = make(options.img_model, { num_classes: llm.width, ...options.img }, 'model.img');

  const embedImage: Paligemma['embedImage'] = (scope, image, call = { train: false }) => {
    const { output, out } = img.apply(scope.child('img'), { image: framesInBatch(image) }, call);
    return { zimg: tokensOfFrames(output as tf.Tensor, image), out: out as NestedRecord<tf.Tensor> };
  };

  const prompt: Paligemma['prompt'] = (scope, image, text, mask_ar, call) => {
    const language = scope.child('llm');
    const { zimg, out } = embedImage(scope, image, call);
    const ztxt = llm.embed(language, text);
    const [batch, prefix] = zimg.shape as [number, number, number];
    const maskAr = tf.concat([tf.fill([batch, prefix], 0, 'int32'), tf.cast(mask_ar, 'int32')], 1);
    return { x: tf.concat([zimg, ztxt], 1), maskAr, prefix, zimg, ztxt, out };
  };

  return {
    llm,
    embedImage,
    prompt,
    apply(scope, batch: Batch, call) {
      const { image, text, mask_ar } = batch as Record<'image' | 'text' | 'mask_ar', tf.Tensor>;
      const language = scope.child('llm');
      const { x, maskAr, prefix, zimg, ztxt, out: seen } = prompt(scope, image, text, mask_ar, call);
      const attn_mask = attentionMask(tf.fill(maskAr.shape, 1, 'bool'), maskAr);
      const found = llm.transform(language, x, { mask: attn_mask }, call.train);

      const ofText = tf.slice(found.pre_logits, [0, prefix, 0], text.shape.concat(llm.width));
      const text_logits = llm.decode(language, ofText);
      const out: NestedRecord<tf.Tensor> = {
        img: { ...seen, zimg },
        llm: { ztxt, ...found },
        attn_mask,
        text_logits,
        text_tokens: tf.cast(tf.argMax(text_logits, -1), 'int32'),
      };
      return { output: text_logits, out };
    },
    loadOptions: z.strictObject({ img_load_kw: towerLoadOptions, llm_load_kw: towerLoadOptions }),
    load: (init, from, load) =>
      loadTowers({ img, llm: { load: loadLanguage } }, init, releasedFile(from), load),
  };
}

const loadLanguage: Model['load'] = (init, file, { dont_load }) => loadGemma(init, file as string, dont_load);

/** Frames of a video are images: [batch, frames, height, width, channels] -> [batch * frames, ...]. */
const framesInBatch = (image: tf.Tensor): tf.Tensor =>
  image.rank === 5 ? tf.reshape(image, [-1, ...image.shape.slice(2)]) : image;

/** Tokens of all frames one after the other: [batch * frames, length, width] -> [batch, frames * length, width]. */
const tokensOfFrames = (tokens: tf.Tensor, image: tf.Tensor): tf.Tensor =>
  image.rank === 5 ? tf.reshape(tokens, [image.shape[0] as number, -1, tokens.shape[2] as number]) : tokens;
