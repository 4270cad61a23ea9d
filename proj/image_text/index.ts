// Contrastive training of image and text towers: CLIP, LiT and SigLIP (README.md).

import { batchParts, definePlugin, forward, type LossFn, type PredictFn, z } from '../../core';
import { registerParity } from '../../core/parity/register';
import * as tf from '../../core/tensor';
import { onlyTower, registerEvaluators } from './evaluators';
import { lossNames, pairLosses, pairs } from './losses';
import { registerNaflexVit } from './naflex_vit';
import { pairRunners } from './parity';
import { registerTwoTowers } from './two_towers';

/** SigLIP (arXiv:2303.15343) and, with a softmax over the batch, CLIP (arXiv:2103.00020), in the hook `loss`. */
export default definePlugin({
  name: 'image_text',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    evaluators: '^0.1.0',
    layers: '^0.1.0',
    losses: '^0.1.0',
    pp: '^0.1.0',
    text: '^0.1.0',
    towers: '^0.1.0',
    vit: '^0.1.0',
  },
  doc: 'Contrastive training of image and text towers: CLIP (arXiv:2103.00020), LiT (2111.07991), SigLIP (2303.15343).',
  options: z.strictObject({
    loss: z.enum(lossNames).default('sigmoid').describe('of all pairs: SigLIP, or the softmax of CLIP'),
  }),
  apply(hooks, options) {
    hooks.loss.tap('image_text', (_, run): LossFn => (params, batch, context) => {
      const { extra, ...result } = forward(run.model, params, batch, context);
      const inputs = pairs(result);
      const metrics = { t: tf.reshape(inputs.t, []), ...(inputs.b && { b: tf.reshape(inputs.b, []) }) };
      return { loss: pairLosses[options.loss](inputs, batchParts(run.runtime.mesh)), metrics, extra };
    });
    // The towers alone: for fewshot, and for whoever embeds one modality.
    hooks.predict.tap('image_text', ({ predict }): Record<string, PredictFn> => {
      const both = predict as PredictFn;
      return { predict: both, zimg: onlyTower(both, 'images'), ztxt: onlyTower(both, 'texts') };
    });
  },

  register(registrar) {
    registerTwoTowers(registrar);
    registerNaflexVit(registrar);
    registerEvaluators(registrar);
    registerParity(registrar.register, pairRunners);
  },
});
