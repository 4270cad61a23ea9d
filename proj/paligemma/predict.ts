// What evaluators ask of the model.

import { z } from 'zod';
import type { PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { predictWith } from '../../core/train/predict';
import { subtree, type Tree } from '../../core/tree';
import { beamOptions, beamSearch, draw, drawOptions } from './decode';
import { butLast } from './loss';
import type { Paligemma } from './model';

type Names = 'logits' | 'image_avg_repr' | 'decode' | 'decode_with_logp' | 'beam_decode';

export function predictFns(model: Paligemma): Record<Names, PredictFn> {
  return {
    /** Of all words but the first, from those before them: [batch, length - 1, vocab_size]. */
    logits: (params, { image, text, mask_ar }) => {
      const inputs = { image: image!, text: butLast(text!), mask_ar: butLast(mask_ar!) };
      return model.apply(Scope.reading(params), inputs, { train: false });
    },

    /** The mean of the image's tokens, for few-shot evaluation: [batch, width]. */
    image_avg_repr: predictWith(
      z.strictObject({
        key: z
          .string()
          .default('img/pre_logits')
          .describe('which tokens; "": those that the language model gets'),
      }),
      (params, { image }, { key }) => {
        const { zimg, out } = model.embedImage(Scope.reading(params), image!);
        const found = { img: { ...out, zimg } };
        const tokens = key === '' ? zimg : (subtree<tf.Tensor>(found as Tree<tf.Tensor>, key) as tf.Tensor);
        const axes = tokens.shape.map((_, i) => i).slice(1, -1);
        return { output: axes.length > 0 ? tf.mean(tokens, axes) : tokens, out: found };
      },
    ),

    /** Answers: int32 [batch, max_decode_len]. */
    decode: predictWith(drawOptions, (params, batch, options) => ({
      output: draw(model, Scope.reading(params), batch, options).tokens,
      out: {},
    })),

    /** Answers, and the log probabilities of their words. */
    decode_with_logp: predictWith(drawOptions, (params, batch, options) => {
      const { tokens, logp } = draw(model, Scope.reading(params), batch, options);
      return { output: [tokens, logp], out: {} };
    }),

    /** Answers by beam search: int32 [batch, max_decode_len]. */
    beam_decode: predictWith(beamOptions, (params, batch, options) => ({
      output: beamSearch(model, Scope.reading(params), batch, options),
      out: {},
    })),
  };
}
