// Contrastive training of image and text towers: CLIP, LiT and SigLIP (README.md).

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { ModelResult, PredictFn } from '../../core/extensions';
import type { LossFn } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import * as tf from '../../core/tensor';
import { bidirectionalContrastiveLoss, siglipLoss } from '../../plugins/losses';
import { pairRunners } from './parity';
import { registerEvaluators } from './evaluators';
import { twoTowers, twoTowersOptions } from './two_towers';

export { twoTowers, type TwoTowersOptions, twoTowersOptions } from './two_towers';

const errors = catalogue('image-text', {
  noBias: () => ({
    what: 'The sigmoid loss adds a bias to the similarities, and the model has none.',
    fix: 'set model.bias_init (-10 in the paper), or image_text.loss to "softmax".',
  }),
});

/** A model's embeddings [batch, width], and its temperature and bias [1]. */
function pairs({ output, out }: ModelResult) {
  const [zimg, ztxt] = output as readonly [tf.Tensor, tf.Tensor];
  const { t, b } = out as { t: tf.Tensor; b?: tf.Tensor };
  return { zimg, ztxt, t, b };
}
type Pairs = ReturnType<typeof pairs>;

const losses = {
  sigmoid: ({ b, ...rest }: Pairs) => {
    if (!b) throw errors.noBias();
    return siglipLoss({ ...rest, b });
  },
  softmax: (inputs: Pairs) => bidirectionalContrastiveLoss(inputs, { reduction: true }).loss,
};

/** SigLIP (arXiv:2303.15343) and, with a softmax over the batch, CLIP (arXiv:2103.00020), in the hook `loss`. */
export default definePlugin({
  name: 'image_text',
  version: '0.1.0',
  core: '^0.1.0',
  needs: {
    evaluators: '^0.1.0',
    losses: '^0.1.0',
    pp: '^0.1.0',
    text: '^0.1.0',
    towers: '^0.1.0',
    vit: '^0.1.0',
  },
  doc: 'Contrastive training of image and text towers: CLIP (arXiv:2103.00020), LiT (2111.07991), SigLIP (2303.15343).',
  options: z.strictObject({
    loss: z
      .enum(['sigmoid', 'softmax'])
      .default('sigmoid')
      .describe('of all pairs in the batch: SigLIP, or the softmax of CLIP'),
  }),
  apply(hooks, options) {
    hooks.loss.tap('image_text', (_, { model }): LossFn => (params, batch, { rng, options: call }) => {
      const scope = Scope.reading(params, { dropout: rng });
      const inputs = pairs(model.apply(scope, batch, { ...call, train: true }));
      const scalar = (x: tf.Tensor) => tf.reshape(x, []);
      const metrics = { t: scalar(inputs.t), ...(inputs.b && { b: scalar(inputs.b) }) };
      return { loss: losses[options.loss](inputs), metrics };
    });
    hooks.predict.tap('image_text', ({ predict }): Record<string, PredictFn> => {
      // The towers alone: for fewshot, and for whoever embeds one modality.
      const tower =
        (i: number): PredictFn =>
        (params, batch) => {
          const result = (predict as PredictFn)(params, batch);
          return { ...result, output: (result.output as readonly tf.Tensor[])[i] };
        };
      return { predict: predict as PredictFn, zimg: tower(0), ztxt: tower(1) };
    });
  },

  register(registrar) {
    const { register, container } = registrar;
    registerEvaluators(registrar);
    registerParity(register, pairRunners);
    register('model', 'proj.image_text.two_towers', {
      doc: [
        'Two towers that embed images and texts (arXiv:2103.00020). image: as the image model takes it;',
        'text (or labels): as the text model takes it; either may be missing.',
        'Gives [zimg, ztxt], [batch, out_dim] each, of length 1.',
      ].join(' '),
      options: twoTowersOptions,
      inject: [tokens.registry],
      create: (options, registry) =>
        twoTowers(options, (name, tower, where) => registry.create(container, 'model', name, tower, where)),
    });
  },
});
