// Stage I in the trainer: the code of labels is learned by decoding it again.

import { z } from 'zod';
import type { Batch, PredictFn } from '../../core/extensions';
import type { LossFn, TrainerHooks } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { predictWith } from '../../core/train/predict';
import { forward } from '../../core/train/variables';
import { mapTree } from '../../core/tree';
import { type Layout, makeTask, predictFields, type Task, taskFields } from './losses';
import { uvimVitOptions } from './options';

export const stage1Schema = z.strictObject({
  stage: z.literal(1),
  ...taskFields,
  w_commitment: z.number().min(0).default(0.25).describe('weight of the distance of codes to their words'),
  freeze_dict: z.boolean().default(true).describe('keep the dictionary as it is'),
});
export type Stage1Options = z.output<typeof stage1Schema>;

type Parts = Readonly<Record<string, tf.Tensor>>;

/** A batch of images and labels as the model of stage I takes it. */
export function stage1Batch(task: Task, { image, image_ctx = image, labels }: Batch): Batch {
  const parts = labels ? Object.entries(task.inputs(labels)) : [];
  return {
    ...Object.fromEntries(parts.map(([name, x]) => [`x/${name}`, x])),
    ...(image_ctx && { ctx: image_ctx }),
  };
}

/** The layout of labels from options of the model of stage I. */
const layoutOf = (model: unknown, where: string): Layout => parseOptions(uvimVitOptions, model, where);

export function tapStage1(hooks: TrainerHooks, options: Stage1Options): void {
  const { w_commitment, freeze_dict } = options;
  hooks.model.tap('uvim', (model, { config }) => {
    const task = makeTask(options, layoutOf(config.model, 'model'));
    return { ...model, apply: (scope, batch, call) => model.apply(scope, stage1Batch(task, batch), call) };
  });

  hooks.loss.tap('uvim', (_, { config, model }): LossFn => {
    const task = makeTask(options, layoutOf(config.model, 'model'));
    return (params, batch, context) => {
      const rngs = { dropout: context.rng, vqvae: context.rng };
      const call = { update_dict: !freeze_dict };
      const { output, out, extra } = forward(model, params, batch, context, { rngs, call });
      const found = out as Parts;
      const losses = task.losses(output as Parts, task.inputs(batch.labels as tf.Tensor));
      const means = Object.fromEntries(Object.entries(losses).map(([name, x]) => [name, tf.mean(x)]));
      const loss_rec = Object.values(means).reduce((sum, x) => tf.add(sum, x));
      const loss_commitment = tf.mean(
        tf.square(tf.sub(found.bottleneck as tf.Tensor, tf.stopGradient(found.bottleneck_q as tf.Tensor))),
      );
      const { codebook_zeros_ratio, codebook_max_ratio } = found as Record<string, tf.Tensor>;
      return {
        loss: tf.add(loss_rec, tf.mul(w_commitment, loss_commitment)),
        metrics: { loss_rec, loss_commitment, codebook_zeros_ratio, codebook_max_ratio, ...means } as Parts,
        extra,
      };
    };
  });

  hooks.predict.tap('uvim', (_, { config, model }): Record<string, PredictFn> => {
    const task = makeTask(options, layoutOf(config.model, 'model'));
    const apply: PredictFn = (params, batch) => model.apply(Scope.reading(params), batch, { train: false });
    return {
      predict: predictWith(z.strictObject(predictFields[options.task]), (params, batch, given) => {
        const { output, out } = apply(params, batch);
        return { output: task.predict(output as Parts, given), out };
      }),
      validation: (params, batch) => {
        const { output, out } = apply(params, batch);
        const { bottleneck, bottleneck_q } = out as Record<string, tf.Tensor>;
        const losses = {
          ...task.losses(output as Parts, task.inputs(batch.labels as tf.Tensor)),
          loss_commitment: tf.square(tf.sub(bottleneck as tf.Tensor, bottleneck_q as tf.Tensor)),
        };
        return { output: mapTree<tf.Tensor, tf.Tensor>(losses, ofExample), out };
      },
    };
  });
}

/** The mean over all axes but that of the batch. */
const ofExample = (x: tf.Tensor): tf.Tensor => tf.mean(tf.reshape(x, [x.shape[0] as number, -1]), 1);
