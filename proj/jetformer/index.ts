// JetFormer: images and texts from one transformer, without a pretrained encoder of images (README.md).

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { jetformer, jetformerOptions } from './model';
import { trainingSchema } from './options';
import { jetformerRunners } from './parity';
import { tapJetformer } from './train';

export default definePlugin({
  name: 'jetformer',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    evaluators: '^0.1.0',
    gemma: '^0.1.0',
    jet: '^0.1.0',
    layers: '^0.1.0',
    losses: '^0.1.0',
    mixture: '^0.1.0',
  },
  doc: 'JetFormer (arXiv:2411.19722): an autoregressive model of raw images and text.',

  options: trainingSchema,
  apply: tapJetformer,

  register({ register }) {
    register('model', 'proj.jetformer.jetformer', {
      doc: [
        'The transformer of JetFormer (arXiv:2411.19722). text_tokens: int32 [batch, words]; image_tokens: float',
        '[batch, tokens, out_dim]; text_first_mask: bool [batch]; optionally text_input_mask: bool [batch, words], and',
        'drop_prefix: bool [batch]. Gives text_logits [batch, words, vocab_size] and image_logits [batch, tokens, logits].',
      ].join(' '),
      options: jetformerOptions,
      create: jetformer,
    });
    registerParity(register, jetformerRunners);
  },
});
