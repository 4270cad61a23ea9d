// Drawing with a cache says what the whole sequence at once says; what sampling refuses; loading of both stages.

import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model, ParamArrays, Params } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { namedLeaves, nest } from '../../../core/tree';
import { vit, vitOptions } from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { sample } from '../../../plugins/decoder';
import { uvimVitOptions } from '../../../proj/uvim/options';
import { uvimVit } from '../../../proj/uvim/vit';
import { vtt, vttOptions } from '../../../proj/uvim/vtt';
import { fetchAll, sendAll } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const model = vtt(
  vttOptions.parse({
    patches: { size: [4, 4] },
    input_size: [8, 8],
    num_heads: 2,
    num_layers: 2,
    mlp_dim: 16,
    emb_dim: 8,
    vocab_size: 12,
    seq_len: 6,
    posemb_type: 'learn',
  }),
);
const specs = {
  image: new TensorSpec('float32', [2, 8, 8, 3]),
  text: new TensorSpec('int32', [2, 6]),
};

test('the probabilities of drawn words are those of the whole sequence', async () => {
  let count = 0;
  const wave = (shape: readonly number[]) => {
    const values = Float32Array.from({ length: sizeOf(shape) }, () => 0.5 * Math.sin((count++) ** 2));
    return hostArray('float32', shape, values);
  };
  const declared = declareParams(runtime, model, specs);
  const arrays = nest(declared.map(({ name, spec }) => [name, wave(spec.shape)] as const));
  const compare = (params: Params, image: tf.Tensor, key: tf.Tensor) => {
    const scope = Scope.reading(params);
    const encoded = model.encode(scope, image);
    const prompts = tf.fill([2, 6], 0, 'int32');
    const drawn = sample(model.stepwise(scope, encoded, 6), prompts, key, { eos_token: -1 });
    const whole = tf.logSoftmax(model.decode(scope, encoded, drawn.sequences));
    const words = tf.oneHot(drawn.sequences, 12, 1, 0, 'float32');
    return { cached: drawn.logprobs, whole: tf.sum(tf.mul(whole, words), -1), words: drawn.sequences };
  };
  const key = runtime.toDevice(tf.random.keyArray(tf.random.key(2)));
  const image = runtime.toDevice(wave([2, 8, 8, 3]));
  const got = await fetchAll(
    runtime,
    runtime.jit(compare, { name: 'compare' })(sendAll(runtime, arrays), image, key),
  );
  const valuesOf = (name: string) => Array.from((got.get(name) as HostArray).data, Number);
  expect(new Set(valuesOf('words')).size).toBeGreaterThan(3);
  const whole = valuesOf('whole');
  valuesOf('cached').forEach((value, i) => expect(value).toBeCloseTo(whole[i] as number, 4));
});

test('top_k and top_p exclude each other', () => {
  const draw = () =>
    sample({} as never, tf.fill([1, 2], 0, 'int32'), tf.fill([2], 0), { top_k: 2, top_p: 0.5 });
  expect(draw).toThrow(/both top_k 2 and top_p 0.5/);
});

describe('checkpoints', () => {
  type Named = ReadonlyMap<string, HostArray>;
  /** Arrays of a model's parameters that are told apart by their values. */
  const valuesOf = (made: Model, batch: Record<string, TensorSpec>, start: number): Named =>
    new Map(
      declareParams(runtime, made, batch).map(({ name, spec: { shape } }, i) => [
        name,
        hostArray('float32', shape, new Float32Array(sizeOf(shape)).fill(start + i)),
      ]),
    );
  const save = async (arrays: Named) => {
    const file = `${temporaryFolder()}/checkpoint.npz`;
    await saveNpz(file, nest(arrays));
    return file;
  };
  const renamed = (arrays: Named, rename: (name: string) => string): Named =>
    new Map([...arrays].map(([name, array]) => [rename(name), array]));
  const flat = (tree: ParamArrays) => new Map(namedLeaves<HostArray>(tree));

  test('a ViT becomes the part of stage II that sees the image', async () => {
    const backbone = vit(
      vitOptions.parse({ num_classes: 3, patch_size: [4, 4], width: 8, depth: 2, num_heads: 2, mlp_dim: 16 }),
    );
    const theirs = valuesOf(backbone, { image: specs.image }, 0);
    const file = await save(renamed(theirs, (name) => `params/${name}`));
    const own = valuesOf(model, specs, 1000);
    const loaded = flat(await model.load!(nest(own), { encoder: file }, { dont_load: ['head/.*'] }));
    const same = (name: string, other: string) => expect(loaded.get(name)).toEqual(theirs.get(other));
    same('EmbedPatches/kernel', 'embedding/kernel');
    same('pos_embedding_encoder', 'pos_embedding');
    same('encoder/encoder_norm/scale', 'Transformer/encoder_norm/scale');
    expect(loaded.get('decoder/EmbedTargets/embedding')).toEqual(own.get('decoder/EmbedTargets/embedding'));
    await expect(model.load!(nest(own), { decoder: file }, {})).rejects.toThrow(/takes one for its encoder/);
  });

  test('stage I has its dictionary from the original\'s "state", and its old names put right', async () => {
    const stage1 = uvimVit(
      uvimVitOptions.parse({
        inputs: { a: [3] },
        outputs: { a: [3] },
        input_size: [8, 8],
        patch_size: [4, 4],
        code_len: 4,
        width: 8,
        enc_depth: 1,
        dec_depth: 1,
        num_heads: 2,
        dict_size: 5,
      }),
    );
    const batch = { 'x/a': new TensorSpec('float32', [1, 4, 3]) };
    const made = valuesOf(stage1, batch, 0);
    const old = (name: string) => name.replace(/^encoder\//, 'Encoder/').replace(/^decoder\//, 'Decoder/');
    const inFile = (name: string) =>
      /^(dictionary|counts)$/.test(name) ? `state/${name}` : `params/${old(name)}`;
    const file = await save(renamed(made, inFile));
    const loaded = flat(await stage1.load!(nest(valuesOf(stage1, batch, 1000)), file, {}));
    for (const [name, array] of made) expect(loaded.get(name)).toEqual(array);
  });
});
