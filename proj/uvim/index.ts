// UViM: images to dense outputs by a guiding code (README.md).

import { z } from 'zod';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { registerEvaluators } from './evaluators';
import { uvimRunners } from './parity';
import { registerOps } from './pp';
import { stage1Schema, tapStage1 } from './stage1';
import { stage2Schema, tapStage2 } from './stage2';
import { uvimVitOptions } from './options';
import { uvimVit } from './vit';
import { vtt, vttOptions } from './vtt';

export { depthFields, depthOfBin, type DepthOptions } from './depth';
export { registerDenseEvaluators } from './evaluators';
export { panorama } from './losses';
export { halvesFields } from './options';

export default definePlugin({
  name: 'uvim',
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
  doc: 'UViM: panoptic segmentation, depth and colourisation by one method (arXiv:2205.10337).',

  options: z.discriminatedUnion('stage', [stage1Schema, stage2Schema]),

  apply(hooks, options) {
    if (options.stage === 1) tapStage1(hooks, options);
    else tapStage2(hooks, options);
  },

  register(registrar) {
    registrar.register('model', 'proj.uvim.vit', {
      doc: [
        'Stage I of UViM (arXiv:2205.10337): a VQ-VAE that encodes labels as words of a learned dictionary.',
        'x/NAME: [batch, patches, ...inputs.NAME]; ctx: [batch, height, width, channels], the image.',
        'Gives {NAME: [batch, patches, ...outputs.NAME]}. The dictionary is a variable: it is learned, but not by gradients.',
      ].join(' '),
      options: uvimVitOptions,
      create: uvimVit,
    });
    registrar.register('model', 'proj.uvim.vtt', {
      doc: [
        'Stage II of UViM: an encoder of images and an autoregressive decoder of texts.',
        'image: [batch, height, width, channels]; text: int32 [batch, length]. Gives logits [batch, length, vocab_size].',
      ].join(' '),
      options: vttOptions,
      create: vtt,
    });
    registerOps(registrar);
    registerParity(registrar.register, uvimRunners);
    registerEvaluators(registrar);
  },
});
