// CapPa: image captioners as vision learners (README.md).

import { z } from 'zod';
import type { Batch } from '../../core/extensions';
import type { LossFn } from '../../core/hooks';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import type * as tf from '../../core/tensor';
import { forward } from '../../core/train/variables';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { registerEvaluators } from './evaluators';
import { cappa, cappaOptions } from './model';
import { cappaRunners } from './parity';
import { predictFns } from './predict';
import { wordWeights } from './words';

/** "Image Captioners Are Scalable Vision Learners Too" (arXiv:2306.07915), in the hook `loss`. */
export default definePlugin({
  name: 'cappa',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    decoder: '^0.1.0',
    evaluators: '^0.1.0',
    layers: '^0.1.0',
    losses: '^0.1.0',
    pp: '^0.1.0',
    vit: '^0.1.0',
  },
  doc: 'CapPa (arXiv:2306.07915): pretraining of image encoders by captioning, word by word or all words at once.',

  options: z.strictObject({
    pad_token: z.int().default(0).describe('the word that fills captions up, and has no loss'),
    label_smoothing: z.number().min(0).max(1).default(0).describe('of the words'),
  }),

  apply(hooks, { pad_token, label_smoothing }) {
    const xent = weightedSoftmaxXent({ label_smoothing, normalize: true });
    hooks.loss.tap('cappa', (_, { model }): LossFn => (params, batch, context) => {
      const { output, extra } = forward(model, params, batch, context);
      const { labels } = batch as Batch & { labels: tf.Tensor };
      const weights = wordWeights(batch, pad_token);
      return { loss: xent({ logits: output as tf.Tensor, labels, weights }), extra };
    });
    hooks.predict.tap('cappa', (known, { config }) => ({ ...known, ...predictFns(config) }));
  },

  register(registrar) {
    registrar.register('model', 'proj.cappa.cappa', {
      doc: [
        'An encoder of images and a decoder of their captions (arXiv:2306.07915).',
        'image: [batch, height, width, channels]; labels (or text): int32 [batch, length], the words, 0 for padding.',
        'Gives logits [batch, length, vocab_size]. With masked_pred_prob some captions are predicted in parallel in training.',
      ].join(' '),
      options: cappaOptions,
      create: cappa,
    });
    registerEvaluators(registrar);
    registerParity(registrar.register, cappaRunners);
  },
});
