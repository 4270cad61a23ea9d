// The captioner's training against a recording of the original, its captions and checkpoints; test/cli/parity has the model.

import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Batch, ParamArrays, Params } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { namedLeaves, nest } from '../../../core/tree';
import { sample } from '../../../plugins/decoder';
import { scanToPyloop, vit, vitOptions } from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { cappa, cappaOptions } from '../../../proj/cappa/model';
import { predictFns } from '../../../proj/cappa/predict';
import { expectCase, readCase } from '../../support/golden';
import { fetchAll, sendAll } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';
import { trainCase } from '../../support/train';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test.each(['train_cap', 'train_cappa'])('%s', async (folder) => {
  const golden = await readCase(folder);
  const { config, label_smoothing } = golden.args as { config: object; label_smoothing: number };
  const args = { config: { ...config, cappa: { label_smoothing } } };
  expectCase(await trainCase(runtime, { ...golden, args }), golden);
});

const small = { num_heads: 2, num_layers: 2, mlp_dim: 16, emb_dim: 8, vocab_size: 12, seq_len: 6, patches: [4, 4] }; // prettier-ignore
const specs = { image: new TensorSpec('float32', [2, 8, 8, 3]), labels: new TensorSpec('int32', [2, 6]) };
const modelOf = (more: object = {}) => cappa(cappaOptions.parse({ ...small, ...more }));

let count = 0;
const wave = (shape: readonly number[]) =>
  hostArray('float32', shape, Float32Array.from({ length: sizeOf(shape) }, () => 0.5 * Math.sin(count++ ** 2))); // prettier-ignore
const wavesFor = (more: object = {}): ParamArrays =>
  nest(declareParams(runtime, modelOf(more), specs).map(({ name, spec }) => [name, wave(spec.shape)]));

test.each([false, true])('word by word it says what it says of a whole caption; scan: %s', async (scan) => {
  const model = modelOf({ scan, decoder_bias: false, decoder_emb_dim: 12 });
  const compare = (params: Params, image: tf.Tensor) => {
    const scope = Scope.reading(params);
    const { encoded } = model.encode(scope, image).out as { encoded: tf.Tensor };
    const prompts = tf.fill([2, 6], 0, 'int32');
    const key = tf.tensor([0, 2], [2], 'int32');
    const drawn = sample(model.stepwise(scope, encoded, 6), prompts, key, { eos_token: -1 });
    const whole = tf.logSoftmax(model.decode(scope, encoded, drawn.sequences));
    const words = tf.oneHot(drawn.sequences, 12, 1, 0, 'float32');
    return { cached: drawn.logprobs, whole: tf.sum(tf.mul(whole, words), -1), words: drawn.sequences };
  };
  const params = sendAll(runtime, wavesFor({ scan, decoder_bias: false, decoder_emb_dim: 12 }));
  const image = runtime.toDevice(wave([2, 8, 8, 3]));
  const got = await fetchAll(runtime, runtime.jit(compare, { name: 'compare' })(params as Params, image));
  const valuesOf = (name: string) => Array.from((got.get(name) as HostArray).data, Number);
  expect(new Set(valuesOf('words')).size).toBeGreaterThan(3);
  valuesOf('cached').forEach((value, i) => expect(value).toBeCloseTo(valuesOf('whole')[i] as number, 4));
});

test('what evaluators ask: captions, their likelihood, and representations', async () => {
  const { caption, score, enc_rep, perplexity } = predictFns({ model: small });
  const f = (params: Params, batch: Batch) => {
    const { output: words, out } = caption(params, batch);
    const scores = score(params, { ...batch, _label_tokens: words as tf.Tensor }).output;
    const logits = perplexity(params, { ...batch, labels: words as tf.Tensor }).output;
    return { words, drawn: (out as { scores: tf.Tensor }).scores, scores, logits, features: enc_rep(params, batch).out };
  }; // prettier-ignore
  const batch = { image: runtime.toDevice(wave([2, 8, 8, 3])) };
  const params = sendAll(runtime, wavesFor());
  const got = await fetchAll(runtime, runtime.jit(f, { name: 'ask' })(params as Params, batch));
  const words = got.get('words') as HostArray;
  const scores = got.get('scores') as HostArray;
  expect(scores.shape).toEqual([2, 2]);
  // Padding has no part in a score, and the likeliest words none of it here.
  expect([...words.data].includes(0)).toBe(false);
  const drawn = got.get('drawn') as HostArray;
  expect(scores.data[0]).toBeCloseTo(drawn.data[0] as number, 4);
  expect(scores.data[3]).toBeCloseTo(drawn.data[1] as number, 4);
  expect(got.get('logits')?.shape).toEqual([2, 6, 12]);
  expect(got.get('features/pre_logits')?.shape).toEqual([2, 8]);
});

describe('checkpoints', () => {
  const save = async (arrays: ParamArrays) => {
    const file = `${temporaryFolder()}/checkpoint.npz`;
    await saveNpz(file, { params: arrays });
    return file;
  };
  const named = (tree: unknown) => new Map(namedLeaves<HostArray>(tree as ParamArrays));

  test('of the whole model, with other patches of the image; stacked blocks are separate in another', async () => {
    const theirs = wavesFor({ scan: true });
    const file = await save(theirs);
    const loaded = named(await modelOf({ scan: true }).load!(wavesFor({ scan: true }), file, {}));
    expect(loaded).toEqual(named(theirs));

    const separate = wavesFor();
    await expect(modelOf().load!(separate, file, {})).rejects.toThrow(/blocks in the checkpoint are stacked/);
    const encoder = named(await modelOf().load!(separate, file, { dont_load: ['decoder/.*'] }));
    const expected = named(scanToPyloop(theirs.encoder as ParamArrays));
    for (const [name, array] of expected)
      expect([name, encoder.get(`encoder/${name}`)]).toEqual([name, array]);
    expect(encoder.get('decoder/LayerNorm/scale')).toEqual(named(separate).get('decoder/LayerNorm/scale'));
  });

  test('of a ViT, for the encoder', async () => {
    const backbone = vit(
      vitOptions.parse({ num_classes: 3, patch_size: [4, 4], width: 8, depth: 2, num_heads: 2, mlp_dim: 16 }),
    );
    const declared = declareParams(runtime, backbone, { image: new TensorSpec('float32', [1, 12, 12, 3]) });
    const file = await save(nest(declared.map(({ name, spec }) => [name, wave(spec.shape)])));
    const own = wavesFor();
    const { dont_load } = modelOf().loadOptions!.parse({});
    const loaded = named(await modelOf().load!(own, { encoder: file }, { dont_load }));
    expect(loaded.get('encoder/pos_embedding')?.shape).toEqual([1, 4, 8]);
    expect(loaded.get('decoder/LogitsDense/kernel')).toEqual(named(own).get('decoder/LogitsDense/kernel'));
    await expect(modelOf().load!(own, { decoder: file }, {})).rejects.toThrow(/takes one for its encoder/);
  });
});
