// What evaluators ask for: shapes, and likelihoods that agree with each other.

import type { Batch, Params } from '../../../core/extensions';
import { declareParams, initParams } from '../../../core/layers/params';
import { type Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { XlaRuntime } from '../../../plugins/xla';
import { jet, jetOptions } from '../../../proj/jet';
import { jetformer, jetformerOptions } from '../../../proj/jetformer/model';
import { trainingSchema } from '../../../proj/jetformer/options';
import { patchPca } from '../../../proj/jetformer/patch_pca';
import { predictFns } from '../../../proj/jetformer/predict';
import { tokenizer } from '../../../proj/jetformer/tokens';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const sizes = { width: 4, depth: 1, mlp_dim: 6, num_heads: 1, num_kv_heads: 1, head_dim: 4 };
const model = jetformer(jetformerOptions.parse({ ...sizes, vocab_size: 12, bos_id: 10, boi_id: 11, nolabel_id: 9, out_dim: 3, scan: true })); // prettier-ignore
const patch_pca = { input_size: [4, 4], patch_size: [2, 2], code_len: 4, skip_pca: true, noise_std: 0 };
const adaptor = { depth: 1, emb_dim: 4, num_heads: 1, ps: 1, kinds: ['channels'] };
const options = trainingSchema.parse({ patch_pca, adaptor, latent_noise_dim: 9, sample_images: { cfg_inference_weight: 0.5 } }); // prettier-ignore
const tokens = tokenizer(patchPca(options.patch_pca), jet(jetOptions.parse(adaptor)), {
  length: 4,
  dims: 3,
  noiseDims: 9,
});
const fns = predictFns({ model, options, tokenizer: tokens });

let params: Params;
let batch: Batch;
beforeAll(() => {
  const whole = {
    apply: (scope: Scope, { text }: Batch) => {
      const image = tokens.declare(scope, text!.shape[0] as number);
      const given = { text: text!, image, textFirst: tf.fill([1], 1, 'bool') };
      return { output: model.logits(scope, given, false).image, out: {} };
    },
  };
  const declared = declareParams(runtime, whole, { text: new TensorSpec('int32', [2, 3]) });
  params = initParams(runtime, declared, tf.random.key(0));
  batch = {
    image: tf.tensor(Array.from({ length: 96 }, (_, i) => Math.sin(i)), [2, 4, 4, 3]), // prettier-ignore
    text: tf.tensor([1, 2, 3, 4, 5, 0], [2, 3], 'int32'),
    text_mask: tf.tensor([1, 1, 1, 1, 1, 0], [2, 3], 'int32'),
    text_loss: tf.tensor([1, 1, 1, 1, 1, 0], [2, 3], 'int32'),
    _mask: tf.tensor([1, 1], [2]),
  };
});

const run = (name: keyof typeof fns, more: Batch = {}, settings = {}) =>
  runtime.jit((params: Params, batch: Batch) => fns[name](params, batch, settings), { name })(params, {
    ...batch,
    ...more,
  });

test('images of texts, and texts of images', async () => {
  const images = run('sample_images').output as unknown as Record<string, tf.Tensor>;
  expect([images.logits!.shape, images.out_tokens!.shape, images.out_logp!.shape]).toEqual([
    [2, 4, 4, 3],
    [2, 4, 3],
    [2, 4],
  ]);
  const { data } = await runtime.toHost(images.logits!);
  for (const pixel of data) expect(Math.abs(pixel)).toBeLessThanOrEqual(1);
  const { output } = run('sample_text', {}, { decode_len: 5, temperature: 1 });
  expect((output as tf.Tensor).shape).toEqual([2, 5]);
});

test('the score of a caption is the likelihood that validation measures', async () => {
  const onlyImagesFirst = predictFns({
    model,
    options: { ...options, text_prefix_prob: 0 },
    tokenizer: tokens,
  });
  const measured = runtime.jit((params: Params, batch: Batch) => onlyImagesFirst.validation(params, batch), {
    name: 'validation',
  })(params, batch).output as unknown as Record<string, tf.Tensor>;
  const scores = run('score_captions', {
    _label_tokens: batch.text!,
    _label_masks: batch.text_mask!,
    _loss_masks: batch.text_loss!,
  }).output as tf.Tensor;
  expect(scores.shape).toEqual([2, 2]);
  const own = (await runtime.toHost(scores)).data;
  const nll = (await runtime.toHost(measured.nll_text!)).data;
  // Of three words and of two.
  expect(-(own[0]! / 3 + own[3]! / 2) / 2).toBeCloseTo(nll[0]!, 4);
  expect(Object.keys(measured)).not.toContain('nll_text_prefix');
});

test('the representation of an image needs no text', () => {
  const { output, out } = run('image_representation');
  expect((output as tf.Tensor).shape).toEqual([2, 4]);
  expect(Object.keys(out as object)).toEqual(
    expect.arrayContaining(['patch_emb', 'nvp', 'block00_rep', 'encoded', 'pre_logits']),
  );
});

test('tokens that do not fit, and batches without texts, are errors', () => {
  expect(() => run('image_representation', { image: tf.fill([2, 4, 8, 3], 0) })).toThrow(
    /gives 8 tokens of 12 numbers, and the model is for 4 .* of 3 .* \+ 9/,
  );
  const { text_loss: _, ...rest } = batch;
  expect(() => runtime.jit((params: Params) => fns.validation(params, rest), { name: 'v' })(params)).toThrow(
    /has no "text_loss"/,
  );
});
