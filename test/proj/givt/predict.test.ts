// What evaluators ask of stage II, with an adaptor between the stages: shapes, and what has to agree.

import type { Batch, Model, Params } from '../../../core/extensions';
import { declareParams, initParams } from '../../../core/layers/params';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { XlaRuntime } from '../../../plugins/xla';
import { adaptor, adaptorOptions } from '../../../proj/givt/adaptor';
import { givt } from '../../../proj/givt/givt';
import { adaptorName } from '../../../proj/givt/likelihood';
import { givtOptions } from '../../../proj/givt/options';
import { predictFns } from '../../../proj/givt/predict';
import { stage2Schema } from '../../../proj/givt/stage2';
import { givtVit, givtVitOptions } from '../../../proj/givt/vit';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const [bins, size] = [3, [2, 4, 4]] as const;
const halves = { width: 4, enc_depth: 1, dec_depth: 1, num_heads: 1, input_size: [4, 4], patch_size: [2, 2] };
const parts = { semantics: [0, 3], instances: [1, 2], depth: [2, bins] };
const vae = givtVit(givtVitOptions.parse({ ...halves, code_len: 4, codeword_dim: 2, inout_specs: parts, head_zeroinit: false })); // prettier-ignore
const map = adaptor(adaptorOptions.parse({ num_blocks: 1, num_channels: 2 }));
const options = stage2Schema.parse({ stage: 2, vae: { model_name: 'proj.givt.vit', model_init: './vae.npz' }, min_depth: 0, max_depth: 3, masked_generation_config: { num_steps: 2 }, ar_generation_config: { beam_size: 2, fan_size: 2 } }); // prettier-ignore

const made = (model: Pick<Model, 'apply'>, batch: Readonly<Record<string, TensorSpec>>): Params =>
  initParams(runtime, declareParams(runtime, model, batch), tf.random.key(0));

/** Of a model with these options, the results of a predict function. */
function stage2(own: object) {
  const common = { num_heads: 1, mlp_dim: 6, emb_dim: 4, num_decoder_layers: 1, seq_len: 4, out_dim: 2 };
  const model = givt(givtOptions.parse({ ...common, input_size: [4, 4], patches: [2, 2], num_mixtures: 2, ...own })); // prettier-ignore
  const { style, num_layers } = model.options;
  const ofStage1 = made(vae, { image: new TensorSpec('int32', [...size, 3]) });
  const params = {
    ...made(model, {
      sequence: new TensorSpec('float32', [2, 4, 2]),
      labels: new TensorSpec('int32', [2]),
      ...(num_layers > 0 && { image: new TensorSpec('float32', [...size, 3]) }),
      ...(style === 'masked' && { input_mask: new TensorSpec('bool', [2, 4]) }),
    }),
    [adaptorName]: made(map, { x: new TensorSpec('float32', [2, 4, 2]) }),
  };
  const fns = predictFns({ model, map, stage1: () => ({ model: vae, params: ofStage1 }) }, options);
  const batch: Batch = {
    image: tf.tensor(Array.from({ length: 96 }, (_, i) => i % 2), [...size, 3], 'int32'), // prettier-ignore
    cond_image: tf.tensor(Array.from({ length: 96 }, (_, i) => Math.sin(i)), [...size, 3]), // prettier-ignore
    labels: tf.tensor([0, 2], [2], 'int32'),
  };
  return (name: keyof typeof fns) =>
    runtime.jit((params: Params, batch: Batch) => fns[name](params, batch, {}), { name })(params, batch);
}

const values = async (x: unknown) => Array.from((await runtime.toHost(x as tf.Tensor)).data, Number);
type Named = Readonly<Record<string, tf.Tensor>>;

test.each([
  ['token by token, after an image', { num_layers: 1, num_labels: null }],
  ['from masks, after a label', { style: 'masked', num_labels: 3 }],
])('%s', async (_, own) => {
  const run = stage2(own);
  const { logits, logprobs } = run('sample').output as unknown as { logits: Named; logprobs?: tf.Tensor };
  expect(logits.depth!.shape).toEqual([...size, bins]);
  expect(logprobs?.shape).toEqual('style' in own ? undefined : [2]);

  // Drawn with the same key: the depth is that of the likeliest bin.
  const { depth } = run('sample_depth').output as Named;
  const best = await values(tf.argMax(logits.depth!, -1));
  expect(await values(depth)).toEqual(best.map((bin) => bin + 0.5));
  expect((run('sample_panoptic').output as tf.Tensor).shape).toEqual([...size, 2]);

  const forced = run('sample_teacher_forced').output as unknown as { logits: Named };
  expect(forced.logits.semantics!.shape).toEqual([...size, 3]);
  const { nll, fraction_masked_out: hidden } = run('validation').output as Named;
  expect((await values(nll)).every(Number.isFinite)).toBe(true);
  expect(hidden?.shape).toEqual('style' in own ? [2] : undefined);
});

test('representations are means over the tokens', () => {
  const { output, out } = stage2({ num_layers: 1, num_labels: null })('representation');
  expect((output as tf.Tensor).shape.slice(0, 2)).toEqual([2, 4]);
  expect((out as Named).pre_logits!.shape).toEqual([2, 4]);
});
