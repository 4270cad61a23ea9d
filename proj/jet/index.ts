// Jet: a normalizing flow of vision transformers (README.md).

import { type Batch, type BatchFn, definePlugin, type LossFn, type PredictFn, z } from '../../core';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import { registerParity } from '../../core/parity/register';
import * as tf from '../../core/tensor';
import { bitsPerDim, pixelStep } from './bits';
import { contextOf, jet, jetOptions } from './model';
import { jetRunners } from './parity';
export { pixelStep } from './bits';
export { type Jet, jet, jetOptions } from './model';

/** Maximum likelihood of images (arXiv:2412.15129): the hooks `batch`, `loss` and `predict`. */
export default definePlugin({
  name: 'jet',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { evaluators: '^0.1.0', layers: '^0.1.0', mixture: '^0.1.0', vit: '^0.1.0' },
  doc: 'Jet, a normalizing flow made of vision transformers (arXiv:2412.15129).',
  options: z.strictObject({
    condition_drop_prob: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('of a flow that is conditional on labels: how often a batch goes without'),
  }),

  apply(hooks, { condition_drop_prob }) {
    hooks.batch.tap('jet', (batchFn): BatchFn => (before, context) => {
      const { batch, rng } = batchFn(before, context);
      const [noise, , drop] = tf.random.split(rng, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const { image, label } = withNoise(batch, noise);
      const kept = () => tf.greaterEqual(tf.random.uniform(drop, []), condition_drop_prob);
      const shown = label && { label: tf.mul(tf.cast(label, 'float32'), tf.cast(kept(), 'float32')) };
      return { batch: { ...batch, image, ...shown } as Batch, rng };
    });

    hooks.loss.tap('jet', (_, { config }): LossFn => {
      const { forward } = jet(parseOptions(jetOptions, config.model, 'model'));
      return (params, batch) => {
        const flow = forward(Scope.reading(params), batch.image as tf.Tensor, contextOf(batch));
        const { bits, nll, logdet } = bitsPerDim(flow);
        const means = { bits: tf.mean(bits), nll: tf.mean(nll), logdet: tf.mean(logdet) };
        return { loss: means.bits, metrics: means };
      };
    });

    hooks.predict.tap('jet', (predictFns, { config }) => {
      const { forward } = jet(parseOptions(jetOptions, config.model, 'model'));
      const loss: PredictFn = (params, batch) => {
        // The same noise for every batch: an evaluation can be repeated.
        const { image } = withNoise(batch, tf.tensor([0, 0], [2], 'int32'));
        const flow = forward(Scope.reading(params), image as tf.Tensor, contextOf(batch));
        return { output: { ...bitsPerDim(flow) }, out: {} };
      };
      return { ...predictFns, loss };
    });
  },

  register({ register }) {
    register('model', 'proj.jet.jet', {
      doc: [
        'A normalizing flow (arXiv:2412.15129). image: float [batch, height, width, channels]; label, if there is one,',
        'float [batch, features]. Gives z of the shape of image, and logdet [batch].',
        'Freeze ".*FREEZE_ME.*" in the schedule: those are its permutations.',
      ].join(' '),
      options: jetOptions,
      create: jet,
    });
    registerParity(register, jetRunners);
  },
});

/** A batch whose images fill the steps of their 8 bits uniformly. */
function withNoise(batch: Batch, key: tf.Tensor): Batch {
  const image = tf.cast(batch.image as tf.Tensor, 'float32');
  return { ...batch, image: tf.add(image, tf.random.uniform(key, image.shape, 0, pixelStep)) };
}
