// Stage II in the trainer: the frozen stage I turns labels into words, which the model learns to predict from the image.

import { z } from 'zod';
import type { Batch, PredictFn } from '../../core/extensions';
import type { LossFn, TrainerHooks } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import { TensorSpec } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { frozenSchema, loadFrozen } from '../../core/train/frozen';
import { predictWith } from '../../core/train/predict';
import type { Run } from '../../core/train/run';
import { forward } from '../../core/train/variables';
import { keyOfIds } from '../../plugins/evaluators';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { greedy, sample } from '../../plugins/decoder';
import { patchGrid } from '../../plugins/layers';
import { makeTask, predictFields, type Task, taskFields } from './losses';
import { uvimVitOptions, type UvimVitOptions } from './options';
import { stage1Batch } from './stage1';
import type { UvimVit } from './vit';
import { vtt, vttOptions } from './vtt';

export const stage2Schema = z.strictObject({
  stage: z.literal(2),
  oracle: frozenSchema
    .extend(taskFields)
    .describe('stage I: its task, and its model with the checkpoint that it is loaded from'),
});
export type Stage2Options = z.output<typeof stage2Schema>;

/** Beside the fields of its task, what an evaluator's `pred_kw` may give a prediction. */
const drawFields = {
  temperature: z.number().positive().default(greedy).describe('of drawn words; the default takes the best'),
  seed: z.int().min(0).default(0).describe('of drawn words'),
};

/** The frozen stage I, between labels and words. Word 0 starts a text: words are the code plus 1. */
interface Oracle {
  /** The words of a batch's labels: int32 [batch, code_len]. */
  words(batch: Batch): tf.Tensor;
  /** What words mean for a batch's images. */
  predict(words: tf.Tensor, batch: Batch, options: object): ReturnType<Task['predict']>;
}

const one = () => tf.scalar(1, 'int32');

async function loadOracle(run: Run, { oracle }: Stage2Options): Promise<Oracle> {
  const { model_name, model, model_init, model_load } = oracle;
  const options = parseOptions(uvimVitOptions, model, 'uvim.oracle.model');
  const task = makeTask(oracle, options);
  const loaded = await loadFrozen(
    run,
    { model_name, model, model_init, model_load },
    { name: 'oracle', where: 'uvim.oracle', batchSpec: specOf(run, options), key: tf.random.key(0) },
  );
  const stage1 = loaded.model as UvimVit;
  const scope = () => Scope.reading(loaded.params);
  return {
    words(batch) {
      const { ctx, ...named } = stage1Batch(task, batch);
      const labels = Object.entries(named).map(([name, x]) => [name.slice(2), x] as const);
      const { out } = stage1.encode(scope(), Object.fromEntries(labels), { ctx });
      return tf.add(out.code as tf.Tensor, one());
    },
    predict(words, batch, options) {
      const { ctx } = stage1Batch(task, { image: batch.image, image_ctx: batch.image_ctx } as Batch);
      return task.predict(stage1.decode(scope(), tf.sub(words, one()), { ctx }), options);
    },
  };
}

/** What stage I sees. */
function specOf({ batchSpec }: Run, { inputs, input_size, patch_size }: UvimVitOptions) {
  const [rows, columns] = patchGrid(input_size, patch_size);
  const labels = Object.entries(inputs).map(
    ([name, shape]) => [`x/${name}`, new TensorSpec('float32', [1, rows * columns, ...shape])] as const,
  );
  const ctx = batchSpec.image_ctx ?? batchSpec.image;
  return { ...Object.fromEntries(labels), ...(ctx && { ctx }) };
}

export function tapStage2(hooks: TrainerHooks, options: Stage2Options): void {
  let oracle: Oracle;
  hooks.setup.tapPromise('uvim', async (run) => {
    oracle = await loadOracle(run, options);
  });

  // Parameters are declared before there is an oracle, for texts of the right shape.
  hooks.model.tap('uvim', (model, { config }) => {
    const { seq_len } = parseOptions(vttOptions, config.model, 'model');
    const blank = ({ image }: Batch) =>
      tf.fill([(image as tf.Tensor).shape[0] as number, seq_len], 0, 'int32');
    return {
      ...model,
      apply: (scope, batch, call) => model.apply(scope, { ...batch, text: batch.text ?? blank(batch) }, call),
    };
  });

  const xent = weightedSoftmaxXent({ label_smoothing: 0, normalize: true });

  hooks.loss.tap('uvim', (_, { model }): LossFn => (params, batch, context) => {
    const text = oracle.words(batch);
    const { output, extra } = forward(model, params, { ...batch, text }, context);
    return { loss: xent({ logits: output as tf.Tensor, labels: text }), extra };
  });

  hooks.predict.tap('uvim', (_, { config, model }): Record<string, PredictFn> => {
    const predictOptions = z.strictObject({ ...predictFields[options.oracle.task], ...drawFields });
    const modelOptions = parseOptions(vttOptions, config.model, 'model');
    const { seq_len } = modelOptions;
    const { encode, stepwise } = vtt(modelOptions);
    return {
      predict: predictWith(predictOptions, (params, batch, { temperature, seed, ...ofTask }) => {
        const image = batch.image as tf.Tensor;
        const scope = Scope.reading(params);
        const prompts = tf.fill([image.shape[0] as number, seq_len], 0, 'int32');
        const decoder = stepwise(scope, encode(scope, image), seq_len);
        const sampling = { temperature, eos_token: -1 };
        const { sequences, logprobs } = sample(decoder, prompts, keyOf(batch, seed), sampling);
        return { output: oracle.predict(sequences, batch, ofTask), out: { words: sequences, logprobs } };
      }),
      validation: (params, batch) => {
        const text = oracle.words(batch);
        const { output, out } = model.apply(Scope.reading(params), { ...batch, text }, { train: false });
        const loss = xent({ logits: output as tf.Tensor, labels: text }, { reduction: false });
        return { output: { loss }, out };
      },
    };
  });
}

/** A key that depends on the images, so that each batch draws other numbers. */
const keyOf = (batch: Batch, seed: number): tf.Tensor =>
  keyOfIds(batch['image/id'] ?? tf.cast(tf.sum(batch.image as tf.Tensor, [1, 2, 3]), 'int32'), seed);
