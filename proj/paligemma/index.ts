// PaliGemma: a language model that sees (README.md).

import { z } from 'zod';
import type { LossFn } from '../../core/hooks';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import * as tf from '../../core/tensor';
import { tokens } from '../../core/train/run';
import { forward } from '../../core/train/variables';
import { towersOf } from '../../plugins/towers';
import { registerEvaluators } from './evaluators';
import { perplexity, shifted } from './loss';
import { refcocoMask2str } from './mask2str';
import { type Paligemma, paligemma, paligemmaOptions } from './model';
import { paligemmaRunners } from './parity';
import { predictFns } from './predict';

/** Training of PaliGemma (arXiv:2407.07726), in the hook `loss`. */
export default definePlugin({
  name: 'paligemma',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    decoder: '^0.1.0',
    evaluators: '^0.1.0',
    gemma: '^0.1.0',
    input: '^0.1.0',
    layers: '^0.1.0',
    losses: '^0.1.0',
    pp: '^0.1.0',
    towers: '^0.1.0',
  },
  doc: 'PaliGemma (arXiv:2407.07726, 2412.03555): answers to images, word by word.',

  options: z.strictObject({
    label_smoothing: z.number().min(0).max(1).default(0).describe('of the words'),
  }),

  apply(hooks, { label_smoothing }) {
    hooks.loss.tap('paligemma', (_, { model }): LossFn => (params, batch, context) => {
      const { inputs, targets, weights } = shifted(batch);
      const { output, extra } = forward(model, params, inputs, context);
      const counted = tf.sum(weights, -1);
      return {
        loss: tf.mean(perplexity(output as tf.Tensor, targets, weights, label_smoothing)),
        metrics: { avg_sup_seqlen: tf.mean(counted), max_sup_seqlen: tf.max(counted) },
        extra,
      };
    });
    hooks.predict.tap('paligemma', (known, { model }) => ({ ...known, ...predictFns(model as Paligemma) }));
  },

  register(registrar) {
    const { register, container } = registrar;
    register('model', 'proj.paligemma.paligemma', {
      doc: [
        'An image tower and Gemma (arXiv:2407.07726). image: [batch, height, width, channels], or with an axis of frames after',
        'the batch; text: int32 [batch, length]; mask_ar: int32 [batch, length], 0 for words that see each other, 1 for those',
        'that see what is before. Gives logits [batch, length, vocab_size].',
      ].join(' '),
      options: paligemmaOptions,
      inject: [tokens.registry],
      create: (options, registry) => paligemma(options, towersOf(registry, container)),
    });
    register('pp', 'refcoco_mask2str', refcocoMask2str);
    registerEvaluators(registrar);
    registerParity(register, paligemmaRunners);
  },
});
