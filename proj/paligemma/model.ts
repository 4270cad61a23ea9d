// An image tower whose tokens are a prefix of a language model's text.

import { z } from 'zod';
import type { Batch, Model } from '../../core/extensions';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { type NestedRecord } from '../../core/tree';
import { gemma, gemmaOptions, gemmaVariants, loadGemma } from '../../plugins/gemma';
import { loadTowers, type MakeTower, towerLoadOptions } from '../../plugins/towers';
import { attentionMask } from './mask';

/** Gemma as PaliGemma has it: a named variant, in a loop, with as little kept as can be. */
const languageOptions = gemmaOptions
  .pick({ vocab_size: true, dropout: true, final_logits_softcap: true, attn_logits_softcap: true })
  .extend({
    variant: z
      .enum(Object.keys(gemmaVariants) as [string, ...string[]])
      .default('gemma_2b')
      .describe('a named size'),
    scan: gemmaOptions.shape.scan.default(true),
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

/** The model of these options. */
export function paligemma(options: PaligemmaOptions, make: MakeTower): Model {
  const sized = options.llm_model === 'ppp.gemma';
  const llmOptions = parseOptions(sized ? gemmaOptions : languageOptions, options.llm, 'model.llm');
  const llm = gemma(gemmaOptions.parse(llmOptions));
  const img = make(options.img_model, { num_classes: llm.width, ...options.img }, 'model.img');

  return {
    apply(scope, batch: Batch, call) {
      const { image, text, mask_ar } = batch as Record<'image' | 'text' | 'mask_ar', tf.Tensor>;
      const language = scope.child('llm');
      const seen = img.apply(scope.child('img'), { image: framesInBatch(image) }, call);
      const zimg = tokensOfFrames(seen.output as tf.Tensor, image);
      const ztxt = llm.embed(language, text);

      const [batchSize, prefix] = zimg.shape as [number, number, number];
      const maskAr = tf.concat([tf.fill([batchSize, prefix], 0, 'int32'), tf.cast(mask_ar, 'int32')], 1);
      const attn_mask = attentionMask(tf.fill(maskAr.shape, 1, 'bool'), maskAr);
      const found = llm.transform(language, tf.concat([zimg, ztxt], 1), { mask: attn_mask }, call.train);

      const ofText = tf.slice(found.pre_logits, [0, prefix, 0], text.shape.concat(llm.width));
      const text_logits = llm.decode(language, ofText);
      const out: NestedRecord<tf.Tensor> = {
        img: { ...(seen.out as NestedRecord<tf.Tensor>), zimg },
        llm: { ztxt, ...found },
        attn_mask,
        text_logits,
        text_tokens: tf.cast(tf.argMax(text_logits, -1), 'int32'),
      };
      return { output: text_logits, out };
    },
    loadOptions: z.strictObject({ img_load_kw: towerLoadOptions, llm_load_kw: towerLoadOptions }),
    load: (init, from, load) => loadTowers({ img, llm: { load: loadLanguage } }, init, from, load),
  };
}

const loadLanguage: Model['load'] = (init, file, { dont_load }) => loadGemma(init, file as string, dont_load);

/** Frames of a video are images: [batch, frames, height, width, channels] -> [batch * frames, ...]. */
const framesInBatch = (image: tf.Tensor): tf.Tensor =>
  image.rank === 5 ? tf.reshape(image, [-1, ...image.shape.slice(2)]) : image;

/** Tokens of all frames one after the other: [batch * frames, length, width] -> [batch, frames * length, width]. */
const tokensOfFrames = (tokens: tf.Tensor, image: tf.Tensor): tf.Tensor =>
  image.rank === 5 ? tf.reshape(tokens, [image.shape[0] as number, -1, tokens.shape[2] as number]) : tokens;
