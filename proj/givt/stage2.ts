// Stage II in the trainer: the frozen stage I turns images into tokens, whose distribution the transformer learns.

import { z } from 'zod';
import type { Batch, Params, PredictFn } from '../../core/extensions';
import type { LossFn, TrainerHooks } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { frozenSchema, loadFrozen } from '../../core/train/frozen';
import { globalNorm } from '../../core/train/gradients';
import type { Run } from '../../core/train/run';
import { leaves, type NestedRecord, type Tree } from '../../core/tree';
import { batchKey } from '../../plugins/evaluators';
import { density } from '../../plugins/mixture';
import { depthFields } from '../uvim';
import { type Adaptor, adaptor, adaptorOptions } from './adaptor';
import { arGenerationSchema, generate } from './decode_ar';
import { generateMasked, maskedGenerationSchema } from './decode_masked';
import { depthOf } from './depth';
import { type Givt, givt } from './givt';
import { givtOptions } from './options';
import { panopticOf } from './panoptic';
import { trainingMask } from './masking';
import { reparametrize, type Vae } from './vae';

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

type Parts = Readonly<Record<string, tf.Tensor>>;
type Stage1 = { readonly model: Vae; readonly params: Params };

/** Where the adaptor's parameters are among the model's, as in the original's checkpoints. */
const adaptorName = 'params_adaptor';

export function tapStage2(hooks: TrainerHooks, options: Stage2Options): void {
  let stage1: Stage1;
  hooks.setup.tapPromise('givt', async (run) => {
    const { image } = run.batchSpec;
    const batchSpec = image && { image };
    const loaded = await loadFrozen(run, options.vae, { name: 'vae', where: 'givt.vae', batchSpec: batchSpec ?? {}, key: tf.random.key(0) }); // prettier-ignore
    stage1 = { model: loaded.model as Vae, params: loaded.params };
  });

  const partsOf = ({ config }: Run) => {
    const model = givt(parseOptions(givtOptions, config.model, 'model'));
    const map = options.adaptor && adaptor({ ...options.adaptor, num_channels: model.options.out_dim });
    return { model, map };
  };

  // Parameters are declared before there is a stage I, for tokens of the right shape.
  hooks.model.tap('givt', (stock, run) => {
    const { model, map } = partsOf(run);
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

  /** The tokens of images, drawn as stage I does: float [batch, seq_len, out_dim]. */
  const tokensOf = (params: Params, image: tf.Tensor, map: Adaptor | null, key: tf.Tensor) => {
    const scope = Scope.reading(stage1.params, { dropout: key });
    const drawn = reparametrize(stage1.model.encode(scope, image), scope.rng('dropout'));
    const frozen = tf.stopGradient(drawn);
    return map ? map.forward(Scope.reading(params).child(adaptorName), frozen) : frozen;
  };

  /** Of each token, and which of them count: nll float [batch, seq_len] or [..., out_dim]; mask bool [batch, seq_len]. */
  const likelihood = (
    { model, map }: ReturnType<typeof partsOf>,
    params: Params,
    batch: Batch,
    key: tf.Tensor,
  ) => {
    const [rest, ofDropout] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
    const [more, ofMask] = tf.random.split(rest) as [tf.Tensor, tf.Tensor];
    const [, ofLabels] = tf.random.split(more) as [tf.Tensor, tf.Tensor];
    const sequence = tokensOf(params, batch.image as tf.Tensor, map, ofDropout);
    const [size, length] = sequence.shape as [number, number, number];
    const { style, drop_labels_probability: drop } = model.options;
    const mask = style === 'masked' ? trainingMask(ofMask, { ...model.options, batch: size, length }) : undefined; // prettier-ignore
    const scope = Scope.reading(params, { dropout: ofDropout });
    const { logits } = model.decode(scope, sequence, {
      ...conditionsOf(model, scope, batch, true),
      ...(drop > 0 && { dropLabels: tf.lessEqual(tf.random.uniform(ofLabels, [size]), drop) }),
      inputMask: mask,
      train: true,
    });
    return { nll: tf.neg(density(logits, model.options).logProb(sequence)), mask };
  };

  hooks.loss.tap('givt', (_, run): LossFn => {
    const parts = partsOf(run);
    return (params, batch, context) => {
      const { nll, mask } = likelihood(parts, params, batch, context.rng);
      const ofAdaptor = params[adaptorName] as NestedRecord<tf.Tensor> | undefined;
      const metrics = {
        'train/nll': tf.mean(nll),
        ...(mask && { 'train/fraction_masked_out': tf.mean(tf.cast(mask, 'float32')) }),
        ...(ofAdaptor && { l2_params_adaptor: globalNorm(leaves<tf.Tensor>(ofAdaptor as Tree<tf.Tensor>)) }),
      };
      return { loss: mask ? meanWhere(mask, nll) : tf.mean(nll), metrics };
    };
  });

  hooks.predict.tap('givt', (_, run): Record<string, PredictFn> => {
    const parts = partsOf(run);
    const { model, map } = parts;
    const images = (params: Params, tokens: tf.Tensor) => {
      const code = map ? map.inverse(Scope.reading(params).child(adaptorName), tokens) : tokens;
      return stage1.model.decode(Scope.reading(stage1.params), code);
    };
    const sample: PredictFn = (params, batch) => {
      const scope = Scope.reading(params);
      const key = batchKey({ ...batch, image: (batch.image ?? batch.cond_image) as tf.Tensor }, options.sampling_seed); // prettier-ignore
      if (model.options.style === 'masked') {
        const tokens = generateMasked(model, scope, key, batch.labels as tf.Tensor, options.masked_generation_config); // prettier-ignore
        return { output: { logits: images(params, tokens) }, out: {} };
      }
      const size = ((batch.labels ?? batch.image ?? batch.cond_image) as tf.Tensor).shape[0] as number;
      const given = { ...conditionsOf(model, scope, batch, false), batch: size };
      const { tokens, logprobs } = generate(model, scope, key, given, options.ar_generation_config);
      return { output: { logits: images(params, tokens), logprobs }, out: {} };
    };
    return {
      sample,
      sample_panoptic: (params, batch) => {
        const { output, out } = sample(params, batch);
        return { output: panopticOf((output as unknown as { logits: Parts }).logits), out };
      },
      sample_depth: (params, batch) => {
        const { output, out } = sample(params, batch);
        const { depth } = (output as unknown as { logits: Parts }).logits;
        return { output: { depth: depthOf(depth as tf.Tensor, options) }, out };
      },
      sample_teacher_forced: (params, batch) => {
        const key = batchKey(batch, options.sampling_seed);
        const sequence = tokensOf(params, batch.image as tf.Tensor, map, key);
        const [size, length] = sequence.shape as [number, number, number];
        const scope = Scope.reading(params, { dropout: key });
        const inputMask = model.options.style === 'masked' ? tf.fill([size, length], 0, 'bool') : undefined;
        const { logits } = model.decode(scope, sequence, {
          ...conditionsOf(model, scope, batch, true),
          inputMask,
          train: true,
        });
        const tokens = density(logits, model.options).sample(tf.random.split(key)[0] as tf.Tensor);
        return { output: { logits: images(params, tokens) }, out: {} };
      },
      representation: (params, batch) => {
        const sequence = tokensOf(
          params,
          batch.image as tf.Tensor,
          map,
          batchKey(batch, options.sampling_seed),
        );
        const scope = Scope.reading(params);
        const { logits, out } = model.decode(scope, sequence, conditionsOf(model, scope, batch, false));
        return { output: logits, out };
      },
      validation: (params, batch) => {
        const { nll, mask } = likelihood(parts, params, batch, batchKey(batch, 0));
        const size = nll.shape[0] as number;
        return {
          output: {
            nll: tf.mean(tf.reshape(nll, [size, -1]), 1),
            ...(mask && { fraction_masked_out: tf.mean(tf.cast(mask, 'float32'), 1) }),
          },
          out: {},
        };
      },
    };
  });
}

/** The label and the image of a batch, as far as the model has a use for them. */
function conditionsOf(model: Givt, scope: Scope, { labels, cond_image }: Batch, train: boolean) {
  const encoded =
    model.options.num_layers > 0 ? model.encode(scope, cond_image as tf.Tensor, train) : undefined;
  return { labels, encoded };
}

/** The mean of x where the mask is true. @param mask bool [batch, length] @param x float [batch, length, ...] */
function meanWhere(mask: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const whole = x.rank === 3 ? tf.expandDims(mask, 2) : mask;
  const counts = tf.mul(tf.cast(whole, 'float32'), tf.onesLike(x));
  return tf.div(tf.sum(tf.mul(x, counts)), tf.sum(counts));
}
