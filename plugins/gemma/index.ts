// Gemma: the language model of PaliGemma and JetFormer.

import { definePlugin } from '../../core/plugin';
import { gemmaModel } from './model';
import { gemmaOptions } from './options';

export { type Backbone, backbone, type Encoded, type GemmaCache, type Read } from './backbone';
export { type Places, rmsNorm } from './block';
export { loadGemma } from './checkpoint';
export { type Gemma, gemma } from './model';
export { blockFields, checkHeads, gemmaOptions, gemmaVariants } from './options';

export default definePlugin({
  name: 'gemma',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { decoder: '^0.1.0', layers: '^0.1.0' },
  doc: 'Gemma and Gemma 2, language models (arXiv:2403.08295, 2408.00118).',

  register({ register }) {
    register('model', 'ppp.gemma', {
      doc: [
        'Gemma (arXiv:2403.08295) and Gemma 2 (arXiv:2408.00118), without sliding windows. tokens: int32 [batch, length];',
        'optionally embedded_prefix, positions and mask. Gives logits [batch, length, vocab_size].',
      ].join(' '),
      options: gemmaOptions,
      create: gemmaModel,
    });
  },
});
