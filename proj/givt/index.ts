// GIVT: transformers of real-valued tokens (README.md).

import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import { registerParity } from '../../core/parity/register';
import { registerDenseEvaluators } from '../uvim';
import { adaptor, adaptorOptions } from './adaptor';
import { givtCnn, givtCnnOptions } from './cnn';
import { givt } from './givt';
import { givtOptions } from './options';
import { givtRunners } from './parity';
import { stage1Schema, tapStage1 } from './stage1';
import { stage2Schema, tapStage2 } from './stage2';
import { givtVit, givtVitOptions } from './vit';

export default definePlugin({
  name: 'givt',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    decoder: '^0.1.0',
    evaluators: '^0.1.0',
    layers: '^0.1.0',
    losses: '^0.1.0',
    mixture: '^0.1.0',
    uvim: '^0.1.0',
    vit: '^0.1.0',
  },
  doc: 'GIVT: generative transformers whose tokens are real-valued vectors (arXiv:2312.02116).',

  options: z.discriminatedUnion('stage', [stage1Schema, stage2Schema]),

  apply(hooks, options) {
    if (options.stage === 1) tapStage1(hooks, options);
    else tapStage2(hooks, options);
  },

  register({ register, container }) {
    register('model', 'proj.givt.vit', {
      doc: [
        'Stage I of GIVT (arXiv:2312.02116): a VAE of two ViTs. image: float [batch, height, width, 3], or with inout_specs',
        'int32 labels [batch, height, width, channels]. Gives what it makes of it again: pixels in [-1, 1], or logits by name.',
      ].join(' '),
      options: givtVitOptions,
      create: givtVit,
    });
    register('model', 'proj.givt.cnn', {
      doc: 'Stage I of GIVT: a convolutional VAE. image: float [batch, size, size, channels] in [-1, 1]. Gives the image again.',
      options: givtCnnOptions,
      create: givtCnn,
    });
    register('model', 'proj.givt.adaptor', {
      doc: 'An invertible map of codes (i-RevNet, arXiv:1802.07088). x: float [batch, words, num_channels].',
      options: adaptorOptions,
      create: adaptor,
    });
    register('model', 'proj.givt.givt', {
      doc: [
        'Stage II of GIVT: a transformer of real-valued tokens. sequence: float [batch, seq_len, out_dim]; labels: int32 [batch];',
        'image: float [batch, height, width, channels] with num_layers; input_mask: bool [batch, seq_len] in the style "masked".',
        'Gives the distributions of the tokens as logits [batch, seq_len, logits], and log_prob of the sequence.',
      ].join(' '),
      options: givtOptions,
      create: givt,
    });
    registerDenseEvaluators({ register, container }, 'proj.givt');
    registerParity(register, givtRunners);
  },
});
