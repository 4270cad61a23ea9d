// Stage II in the trainer: the frozen stage I turns images into tokens, whose distribution the transformer learns.

import { z } from 'zod';
import type { Batch, PredictFn } from '../../core/extensions';
import type { LossFn, TrainerHooks } from '../../core/hooks';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { frozenSchema, loadFrozen } from '../../core/train/frozen';
import { globalNorm } from '../../core/train/gradients';
import type { Run } from '../../core/train/run';
import { leaves, type Tree } from '../../core/tree';
import { depthFields } from '../uvim';
import { adaptor, adaptorOptions } from './adaptor';
import { arGenerationSchema } from './decode_ar';
import { maskedGenerationSchema } from './decode_masked';
import { givt } from './givt';
import { adaptorName, likelihood, type Parts, type Stage1 } from './likelihood';
import { givtOptions } from './options';
import { predictFns } from './predict';
import type { Vae } from './vae';

export const stage2Schema = z.strictObject({
  stage: z.literal(2),
  vae: frozenSchema.describe('stage I: its model, and the checkpoint that it is loaded from'),
  adaptor: adaptorOptions
    .omit({ num_channels: true })
    .nullable()
    .default(null)
    .describe('of the invertible map that is trained along, between the tokens of both stages; null: none'),
  ar_generation_config: arGenerationSchema.prefault({}).describe('how the style "ar" draws'),
  masked_generation_config: maskedGenerationSchema.prefault({}).describe('how the style "masked" draws'),
  sampling_seed: z.int().min(0).default(0).describe('of what predictions draw'),
  ...depthFields,
});
export type Stage2Options = z.output<typeof stage2Schema>;

export function tapStage2(hooks: TrainerHooks, options: Stage2Options): void {
  let stage1: Stage1;
  hooks.setup.tapPromise('givt', async (run) => {
    const { image } = run.batchSpec;
    const batchSpec: Run['batchSpec'] = image ? { image } : {};
    const where = { name: 'vae', where: 'givt.vae', batchSpec, key: tf.random.key(0) };
    const loaded = await loadFrozen(run, options.vae, where);
    stage1 = { model: loaded.model as Vae, params: loaded.params };
  });

  const modelsOf = ({ config }: Run) => {
    const model = givt(parseOptions(givtOptions, config.model, 'model'));
    const map = options.adaptor && adaptor({ ...options.adaptor, num_channels: model.options.out_dim });
    return { model, map };
  };
  const partsOf = (run: Run): Parts => ({ ...modelsOf(run), stage1: () => stage1 });

  // Parameters are declared before there is a stage I, for tokens of the right shape.
  hooks.model.tap('givt', (stock, run) => {
    const { model, map } = modelsOf(run);
    const { seq_len, out_dim, style } = model.options;
    return {
      ...stock,
      apply(scope, { image, labels, cond_image }, call) {
        const batch = ((image ?? cond_image) as tf.Tensor).shape[0] as number;
        const sequence = tf.fill([batch, seq_len, out_dim], 0);
        if (map) map.forward(scope.child(adaptorName), sequence);
        const input_mask = style === 'masked' ? tf.fill([batch, seq_len], 0, 'bool') : undefined;
        const given = { sequence, labels, image: cond_image, input_mask } as Batch;
        return stock.apply(scope, given, call);
      },
    };
  });

  hooks.loss.tap('givt', (_, run): LossFn => {
    const parts = partsOf(run);
    return (params, batch, context) => {
      const { nll, mask } = likelihood(parts, params, batch, context.rng);
      const ofAdaptor = params[adaptorName] as Tree<tf.Tensor> | undefined;
      const metrics = {
        'train/nll': tf.mean(nll),
        ...(mask && { 'train/fraction_masked_out': tf.mean(tf.cast(mask, 'float32')) }),
        ...(ofAdaptor && { l2_params_adaptor: globalNorm(leaves<tf.Tensor>(ofAdaptor)) }),
      };
      return { loss: mask ? meanWhere(mask, nll) : tf.mean(nll), metrics };
    };
  });

  hooks.predict.tap('givt', (_, run): Readonly<Record<string, PredictFn>> =>
    predictFns(partsOf(run), options),
  );
}

/** The mean of x where the mask is true. @param mask bool [batch, length] @param x float [batch, length, ...] */
function meanWhere(mask: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const whole = x.rank === 3 ? tf.expandDims(mask, 2) : mask;
  const counts = tf.mul(tf.cast(whole, 'float32'), tf.onesLike(x));
  return tf.div(tf.sum(tf.mul(x, counts)), tf.sum(counts));
}
