// The options of predict functions, `pred_kw` of evaluators.

import '../../support/cpu-backend';
import { z } from 'zod';
import type { Batch, ModelResult, PredictFn } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { openTestbed } from '../../../core/testing';
import { predictFinder, predictWith } from '../../../core/train/predict';

const scaled = predictWith(z.strictObject({ by: z.number().default(2) }), (_, { x }, { by }) => ({
  output: tf.mul(x!, by),
  out: {},
}));
const plain: PredictFn = (_, { x }) => ({ output: x!, out: {} });

test('options have defaults, and are what a config says', () => {
  const find = predictFinder({ scaled, plain });
  const at3 = (predict: PredictFn, more?: object) => {
    const { output } = predict({}, { x: tf.scalar(3) } as Batch, more) as ModelResult & { output: tf.Tensor };
    return output.dataSync()[0];
  };
  expect(at3(find('val', 'scaled', undefined))).toBe(6);
  expect(at3(find('val', 'scaled', { by: 5 }))).toBe(15);
  expect(at3(find('val', 'plain', {}))).toBe(3);
  // What an evaluator adds counts where the config says nothing.
  expect(at3(find('val', 'scaled', undefined), { by: 7 })).toBe(21);
  expect(at3(find('val', 'scaled', {}), { by: 7 })).toBe(21);
  expect(at3(find('val', 'scaled', { by: 5 }), { by: 7 })).toBe(15);
  expect(find('val', 'scaled', { by: 5 })).toBe(find('test', 'scaled', { by: 5 }));
  expect(find('val', 'scaled', { by: 5 })).not.toBe(find('val', 'scaled', { by: 6 }));
});

test.each([
  ['scaled', { bye: 5 }, /Unknown key "evals\.val\.pred_kw\.bye"\. Did you mean "by"\?/],
  ['scaled', { by: 'much' }, /"evals\.val\.pred_kw\.by" is "much"/],
  ['plain', { by: 5 }, /Unknown key "evals\.val\.pred_kw\.by"/],
  ['scale', {}, /evals\.val\.pred is "scale", which isn't a predict function\. Did you mean "scaled"\?/],
] as [string, object, RegExp][])('%s with %j is an error', (name, options, message) => {
  expect(() => predictFinder({ scaled, plain })('val', name, options)).toThrow(message);
});

test("a model's call takes its options from pred_kw", async () => {
  const testbed = await openTestbed(__dirname);
  const common = 'decode|value_range(-1, 1)|onehot(10)|keep("image", "labels")';
  const evaluated = (settings: object) => ({
    type: 'mean',
    pred: 'loss',
    data: { name: 'mnist', split: 'test' },
    pp_fn: common,
    ...settings,
  });
  const [before] = await testbed.train(
    {
      input: { data: { name: 'mnist', split: 'train' }, pp: common, batch_size: 500 },
      num_classes: 10,
      model_name: 'proj.flexi.vit',
      model: {
        patch_size: [7, 7],
        width: 16,
        depth: 1,
        num_heads: 2,
        mlp_dim: 32,
        pool_type: 'gap',
        head_zeroinit: false,
      },
      flexi: { seqhw: { v: [2, 4] } },
      loss: 'softmax_xent',
      optax_name: 'scale_by_adam',
      lr: 1e-3,
      schedule: {},
      evals: {
        named: evaluated({ type: 'classification', loss_name: 'softmax_xent', pred: 'predict_seqhw=2' }),
        given: evaluated({ pred_kw: { seqhw: 2 } }),
        stored: evaluated({}),
      },
      total_steps: 1,
    },
    1,
    { evaluations: true },
  );
  await testbed.close();
  const { 'given/loss': given, 'named/loss': named, 'stored/loss': stored } = before!;
  expect(given).toBeCloseTo(named!, 5);
  expect(given).not.toBeCloseTo(stored!, 5);
});
