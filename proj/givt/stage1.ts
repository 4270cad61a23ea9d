// Stage I in the trainer: the VAE that turns images into tokens.

import { z } from 'zod';
import type { Batch, PredictFn } from '../../core/extensions';
import type { LossFn, TrainerHooks } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import type { Run } from '../../core/train/run';
import { forward } from '../../core/train/variables';
import type { Tree } from '../../core/tree';
import { batchKey } from '../../plugins/evaluators';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { depthFields } from '../uvim';
import { depthOf } from './depth';
import { panopticOf } from './panoptic';
import type { Posterior } from './vae';
import { type GivtVitOptions, givtVitOptions } from './vit';

export const stage1Schema = z.strictObject({
  stage: z.literal(1),
  rec_loss_fn: z
    .enum(['l2', 'xent'])
    .default('l2')
    .describe('of the reconstruction: half the squared distance, or cross entropy of the parts of labels'),
  beta: z.number().min(0).default(1).describe("weight of the code's divergence from a standard normal"),
  mask_zero_target: z.boolean().default(false).describe('with xent: label 0 has no loss'),
  ...depthFields,
});
export type Stage1Options = z.output<typeof stage1Schema>;

type Parts = Readonly<Record<string, tf.Tensor>>;
type Reconstruction = (output: Tree<tf.Tensor>, image: tf.Tensor) => tf.Tensor;

export function tapStage1(hooks: TrainerHooks, options: Stage1Options): void {
  const lossesOf = (run: Run) => {
    const reconstruction = options.rec_loss_fn === 'l2' ? squares : xent(vitOf(run), options);
    return (output: Tree<tf.Tensor>, { image }: Batch, posterior: Posterior): Parts => {
      const loss_rec = reconstruction(output, image as tf.Tensor);
      const loss_kl = divergence(posterior);
      return { loss: tf.add(loss_rec, tf.mul(options.beta, loss_kl)), loss_rec, loss_kl };
    };
  };

  hooks.loss.tap('givt', (_, run): LossFn => {
    const losses = lossesOf(run);
    return (params, batch, context) => {
      const { output, out, extra } = forward(run.model, params, batch, context);
      const named = losses(output, batch, out as unknown as Posterior);
      const means = Object.fromEntries(Object.entries(named).map(([name, x]) => [name, tf.mean(x)]));
      return { loss: means.loss as tf.Tensor, metrics: means, extra };
    };
  });

  hooks.predict.tap('givt', (_, run): Record<string, PredictFn> => {
    const losses = lossesOf(run);
    /** As in training: codes are drawn. */
    const drawn: PredictFn = (params, batch) =>
      run.model.apply(Scope.reading(params, { dropout: batchKey(batch, 0) }), batch, { train: true });
    return {
      predict: (params, batch) => {
        const { output, out } = drawn(params, batch);
        return { output: { logits: output }, out };
      },
      predict_panoptic: (params, batch) => {
        const { output, out } = drawn(params, batch);
        return { output: panopticOf(output), out };
      },
      predict_depth: (params, batch) => {
        const { output, out } = drawn(params, batch);
        return { output: { depth: depthOf((output as Parts).depth as tf.Tensor, options) }, out };
      },
      validation: (params, batch) => {
        const { output, out } = drawn(params, batch);
        return { output: losses(output, batch, out as unknown as Posterior), out };
      },
    };
  });
}

const vitOf = ({ config }: Run) => parseOptions(givtVitOptions, config.model, 'model');

/** float [batch]: the sum over an example. */
const perExample = (x: tf.Tensor) => tf.sum(tf.reshape(x, [x.shape[0] as number, -1]), 1);

const squares: Reconstruction = (output, image) =>
  tf.mul(0.5, perExample(tf.squaredDifference(output as tf.Tensor, image)));

/** Kullback-Leibler divergence from the standard normal distribution: float [batch]. */
const divergence = ({ mu, logvar }: Posterior) =>
  tf.mul(-0.5, perExample(tf.sub(tf.add(1, logvar), tf.add(tf.square(mu), tf.exp(logvar)))));

/** The sum over parts of their mean cross entropies. */
function xent({ inout_specs }: GivtVitOptions, { mask_zero_target }: Stage1Options): Reconstruction {
  const loss = weightedSoftmaxXent({ label_smoothing: 0, normalize: true });
  return (output, image) => {
    const batch = image.shape[0] as number;
    const ofParts = Object.entries(inout_specs ?? {}).map(([name, [channel, classes]]) => {
      const logits = tf.reshape((output as Parts)[name] as tf.Tensor, [batch, -1, classes]);
      const ofPart = tf.slice(image, [0, 0, 0, channel], [-1, -1, -1, 1]);
      const labels = tf.reshape(tf.cast(ofPart, 'int32'), [batch, -1]);
      const weights = mask_zero_target
        ? tf.cast(tf.notEqual(labels, tf.scalar(0, 'int32')), 'float32')
        : undefined;
      return loss({ logits, labels, ...(weights && { weights }) }, { reduction: false });
    });
    return tf.addN(ofParts);
  };
}
