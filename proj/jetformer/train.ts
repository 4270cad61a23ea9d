// JetFormer in the trainer: the loss, what is measured, and predictions.

import type { Batch, PredictFn } from '../../core/extensions';
import type { LossFn, StepFn, TrainerHooks } from '../../core/hooks';
import { loadParams } from '../../core/checkpoint/load-params';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { globalNorm } from '../../core/train/gradients';
import type { Run } from '../../core/train/run';
import { paramsToDevice } from '../../core/train/state';
import { leaves, type Tree } from '../../core/tree';
import { jet } from '../jet';
import { checkBatch, likelihood, type Parts } from './likelihood';
import { measure, noiseScale } from './loss';
import { jetformer, jetformerOptions } from './model';
import type { TrainingOptions } from './options';
import { checkPatchPca, patchPca, type Pca } from './patch_pca';
import { predictFns } from './predict';
import { adaptorName, tokenizer } from './tokens';

export function tapJetformer(hooks: TrainerHooks, options: TrainingOptions): void {
  const { patch_pca, adaptor, latent_noise_dim } = options;
  checkPatchPca(patch_pca);
  let pca: Pca | undefined;
  hooks.setup.tapPromise('jetformer', async ({ runtime }) => {
    if (patch_pca.skip_pca) return;
    const arrays = await loadParams(patch_pca.pca_init_file);
    pca = paramsToDevice(runtime, arrays, () => []) as unknown as Pca;
  });

  const partsOf = ({ config }: Run): Parts => {
    const model = jetformer(parseOptions(jetformerOptions, config.model, 'model'));
    const sizes = { length: patch_pca.code_len, dims: model.options.out_dim, noiseDims: latent_noise_dim };
    return { model, tokenizer: tokenizer(patchPca(patch_pca, pca), adaptor && jet(adaptor), sizes), options };
  };

  // Parameters are those of the transformer and, beside them, the flow's. They are declared before components are loaded.
  hooks.model.tap('jetformer', (stock, run) => ({
    ...stock,
    apply(scope, batch, call) {
      checkBatch(batch);
      const { text, text_mask } = batch;
      const size = text!.shape[0] as number;
      const image_tokens = partsOf(run).tokenizer.declare(scope, size);
      const text_first_mask = tf.fill([size], 0, 'bool');
      const given = { text_tokens: text, image_tokens, text_first_mask, text_input_mask: text_mask };
      return stock.apply(scope, given as Batch, call);
    },
  }));

  hooks.loss.tap('jetformer', (_, run): LossFn => {
    const parts = partsOf(run);
    return (params, batch, { rng, step }) => {
      const scale = noiseScale(options, step, run.length.total_steps);
      const found = likelihood(parts, params, batch, rng, { train: true, noiseScale: scale });
      const { loss, metrics } = measure(found, options);
      const named = Object.entries(metrics).map(([name, value]) => [`train/${name}`, value] as const);
      return { loss, metrics: { ...Object.fromEntries(named), ...(scale && { noise_scale: scale }) } };
    };
  });

  if (adaptor) {
    hooks.program.tap('jetformer', (step): StepFn => (state, batch, context) => {
      const next = step(state, batch, context);
      const ofFlow = leaves<tf.Tensor>(next.state.params[adaptorName] as Tree<tf.Tensor>);
      return { ...next, metrics: { ...next.metrics, l2_params_adaptor: globalNorm(ofFlow) } };
    });
  }

  hooks.predict.tap('jetformer', (known, run): Readonly<Record<string, PredictFn>> => ({
    ...known,
    ...predictFns(partsOf(run)),
  }));
}
