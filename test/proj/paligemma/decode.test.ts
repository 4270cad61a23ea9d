// Answers beside the recorded ones, which test/cli/parity compares: what is the same however it is reached, and options.

import * as path from 'node:path';
import sharp from 'sharp';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Batch, ParamArrays, Params } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { nest } from '../../../core/tree';
import { openSession } from '../../../core/workspace/session';
import { vit, vitOptions } from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { openAnswerer } from '../../../proj/paligemma/answer';
import { paligemma, paligemmaOptions } from '../../../proj/paligemma/model';
import { predictFns } from '../../../proj/paligemma/predict';
import { parseSampler } from '../../../proj/paligemma/sampler';
import { fetchAll, sendAll } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const llm = { width: 8, depth: 2, mlp_dim: 12, num_heads: 2, num_kv_heads: 1, head_dim: 4, vocab_size: 11 };
const img = { width: 6, depth: 1, mlp_dim: 8, num_heads: 2, patch_size: [2, 2], pool_type: 'none' };
const modelOf = (more: object = {}) =>
  paligemma(paligemmaOptions.parse({ img, llm_model: 'ppp.gemma', llm: { ...llm, ...more } }), (_, options) =>
    vit(vitOptions.parse(options)),
  );

let count = 0;
const wave = (shape: readonly number[]) =>
  hostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => Math.sin((count++) ** 2)),
  );
const int32 = (rows: number[][]) => hostArray('int32', [rows.length, rows[0]!.length], rows.flat());
const batchOf = (text: number[][]) => ({
  image: wave([text.length, 4, 4, 3]),
  text: int32(text),
  mask_ar: int32(text.map((row) => row.map(() => 0))),
  mask_input: int32(text.map((row) => row.map((word) => Math.sign(word)))),
});
const specs = {
  image: new TensorSpec('float32', [2, 4, 4, 3]),
  text: new TensorSpec('int32', [2, 3]),
  mask_ar: new TensorSpec('int32', [2, 3]),
};
const wavesFor = (more: object = {}): ParamArrays =>
  nest(declareParams(runtime, modelOf(more), specs).map(({ name, spec }) => [name, wave(spec.shape)]));

test.each([false, true])('word by word it says what it says of a whole text; scan: %s', async (scan) => {
  const model = modelOf({ scan });
  const { decode_with_logp } = predictFns(model);
  const length = 4;
  const f = (params: Params, batch: Batch) => {
    const options = { max_decode_len: length, eos_token: 10 };
    const [tokens, logp] = decode_with_logp(params, batch, options).output as [tf.Tensor, tf.Tensor];
    const whole = {
      image: batch.image!,
      text: tf.concat([batch.text!, tokens], 1),
      mask_ar: tf.concat([batch.mask_ar!, tf.fill([2, length], 1, 'int32')], 1),
    };
    const logits = model.apply(Scope.reading(params), whole, { train: false }).output as tf.Tensor;
    const ofAnswer = tf.logSoftmax(tf.slice(logits, [0, 2, 0], [2, length, llm.vocab_size]));
    const taken = tf.oneHot(tokens, llm.vocab_size, 1, 0, 'float32');
    return { tokens, logp, whole: tf.sum(tf.mul(ofAnswer, taken), -1), best: tf.max(ofAnswer, -1) };
  };
  const params = sendAll(runtime, wavesFor({ scan })) as Params;
  const batch = sendAll(runtime, batchOf([[2, 5, 7], [2, 6, 3]])) as Batch; // prettier-ignore
  const got = await fetchAll(runtime, runtime.jit(f, { name: 'compare' })(params, batch));
  const valuesOf = (name: string) => Array.from((got.get(name) as HostArray).data, Number);
  expect(new Set(valuesOf('tokens')).size).toBeGreaterThan(2);
  valuesOf('logp').forEach((value, i) => {
    expect(value).toBeCloseTo(valuesOf('whole')[i] as number, 4);
    expect(value).toBeCloseTo(valuesOf('best')[i] as number, 4);
  });
});

test('words that are never taken, the best of several answers, and the tokens of images', async () => {
  const model = modelOf();
  const { decode, decode_with_logp, image_avg_repr } = predictFns(model);
  const f = (params: Params, batch: Batch) => {
    const scoreOf = (best_of_n: number, seed: number) => {
      const options = { max_decode_len: 3, eos_token: 10, sampler: 'temperature(2)', best_of_n, seed };
      const [, logp] = decode_with_logp(params, batch, options).output as [tf.Tensor, tf.Tensor];
      return tf.sum(logp, 1);
    };
    const alone = tf.stack([1, 2, 3, 4].map((seed) => scoreOf(1, seed)));
    const onlyEven = tf.tensor(
      Array.from({ length: 2 * 11 }, (_, i) => (i % 11) % 2),
      [2, 11],
      'int32',
    );
    return {
      even: decode(params, { ...batch, mask_logits: onlyEven }, { max_decode_len: 5, eos_token: 1 }).output,
      one: tf.mean(alone, 0),
      best: scoreOf(64, 0),
      repr: image_avg_repr(params, batch).output,
      tokens: image_avg_repr(params, batch, { key: '' }).output,
    } as Record<string, tf.Tensor>;
  };
  const params = sendAll(runtime, wavesFor()) as Params;
  const batch = sendAll(runtime, batchOf([[2, 5, 7], [2, 6, 0]])) as Batch; // prettier-ignore
  const got = await fetchAll(runtime, runtime.jit(f, { name: 'options' })(params, batch));
  const valuesOf = (name: string) => Array.from((got.get(name) as HostArray).data, Number);
  expect(valuesOf('even').every((word) => word % 2 === 0)).toBe(true);
  // Of so many the best is better than what one draws on average.
  valuesOf('best').forEach((score, i) => expect(score).toBeGreaterThan(valuesOf('one')[i] as number));
  expect([got.get('repr')?.shape, got.get('tokens')?.shape]).toEqual([[2, 6], [2, 8]]); // prettier-ignore
});

test('a checkpoint answers a question about the file of an image', async () => {
  const folder = temporaryFolder();
  const [image, ckpt] = ['a.png', 'model.npz'].map((name) => path.join(folder, name)) as [string, string];
  await sharp({ create: { width: 9, height: 7, channels: 3, background: '#f00' } }).toFile(image);
  const model = { img, llm_model: 'ppp.gemma', llm: { ...llm, vocab_size: 600 } };
  await saveNpz(ckpt, wavesFor({ vocab_size: 600 }));
  const options = { ckpt, model, tokenizer: 'openmoji(size=600)', sep: ':', res: 4, prefill_len: 12 };
  const ask = async (more: { sampler: string; max_decode_len: number }) => {
    const answer = await openAnswerer(openSession(path.resolve(__dirname, '../../..')), runtime, {
      ...options,
      ...more,
    });
    return answer(image, 'what is it');
  };
  const [said, again, drawn] = [
    await ask({ sampler: 'greedy', max_decode_len: 4 }),
    await ask({ sampler: 'greedy', max_decode_len: 4 }),
    await ask({ sampler: 'temperature(50)', max_decode_len: 4 }),
  ];
  expect(said).not.toBe('');
  expect(again).toBe(said);
  expect(drawn).not.toBe(said);
});

test.each([
  ['gredy', /no sampler "gredy"\. Did you mean "greedy"/],
  ['nucleus', /the option "sampler"\.p/],
  ['nucleus(2)', /the option "sampler"\.p/],
  ['greedy|greedy', /isn't one sampler/],
  ['temperature(1, 2)', /argument 2/],
])('the sampler %s is an error', (text, message) => {
  expect(() => parseSampler(text)).toThrow(message);
});
