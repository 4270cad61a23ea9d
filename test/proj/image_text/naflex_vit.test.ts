// The ViT for images of any aspect, from images on and from checkpoints; test/cli/parity compares it with the original.

import path from 'node:path';
import { allocate, type HostArray, hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Batch, Feature, Model, ParamArrays } from '../../../core/extensions';
import { declareParams, initParams } from '../../../core/layers/params';
import { Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { namedLeaves, nest } from '../../../core/tree';
import layers from '../../../plugins/layers';
import losses from '../../../plugins/losses';
import text from '../../../plugins/text';
import towers from '../../../plugins/towers';
import vit from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import imageText from '../../../proj/image_text';
import { arraysUnder, readCase } from '../../support/golden';
import { register, runPp } from '../../support/pp';
import { fetchAll, sendAll } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

const plugins = [layers, losses, vit, text, towers, imageText as never];
const { registry, container } = register(...plugins);
const naflex = (args: object): Model =>
  registry.create(container, 'model', 'proj.image_text.naflex_vit', args, 'model');
const small = { width: 8, depth: 1, num_heads: 2, mlp_dim: 16, nposemb: 4 };

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

/** As the data pipeline has it: four features of one length. */
async function patches(height: number, width: number, length = 8): Promise<Feature[]> {
  const pads = ['type', 'yidx', 'xidx'].map((key) => `pad_to_shape(key="image/${key}", shape=(${length},))`);
  const pp = [
    `patchify(2, key="image")`,
    'flatten(["image"])',
    `pad_to_shape(key="image/patches", shape=(${length}, None))`,
    ...pads,
    'tuplify(["image/patches", "image/type", "image/yidx", "image/xidx"], "image")',
  ].join('|');
  const pixels = Float32Array.from({ length: height * width * 3 }, (_, i) => Math.sin(i));
  const { image } = await runPp(pp, { image: hostArray('float32', [height, width, 3], pixels) });
  return image as Feature[];
}

async function batchOf(...examples: Feature[][]): Promise<Record<string, HostArray>> {
  const parts = [0, 1, 2, 3].map((part) => {
    const arrays = examples.map((example) => example[part] as HostArray);
    const [first] = arrays as [HostArray];
    const batch = allocate(first.dtype, [arrays.length, ...first.shape]);
    arrays.forEach(({ data }, i) => batch.data.set(data, i * data.length));
    return [`image/${part}`, batch] as const;
  });
  return Object.fromEntries(parts);
}

async function run(model: Model, batch: Record<string, HostArray>) {
  const specs = Object.entries(batch).map(([name, x]) => [name, new TensorSpec(x.dtype, x.shape)] as const);
  const params = initParams(
    runtime,
    declareParams(runtime, model, Object.fromEntries(specs)),
    tf.random.key(0),
  );
  const f = (batch: Batch) => ({ y: model.apply(Scope.reading(params), batch, { train: false }).output });
  const got = await fetchAll(runtime, runtime.jit(f, { name: 'naflex' })(sendAll(runtime, batch) as Batch));
  return got;
}

test('an image gives the same with more padding, and nothing beyond the largest side', async () => {
  const model = naflex({ ...small, posemb: 'learn_2d(3)' });
  const short = await run(model, await batchOf(await patches(4, 6, 6), await patches(2, 4, 6)));
  const long = await run(model, await batchOf(await patches(4, 6), await patches(2, 8)));
  const y = (got: typeof short, i: number) => [...(got.get('y') as HostArray).data.subarray(i * 8, i * 8 + 8)]; // prettier-ignore
  y(short, 0).forEach((value, i) => expect(value).toBeCloseTo(y(long, 0)[i] as number, 5));
  expect(y(short, 1).every(Number.isFinite)).toBe(true);
  expect(y(long, 1).every(Number.isNaN)).toBe(true);
});

test('a tower of images of two', async () => {
  const model = registry.create(
    container,
    'model',
    'proj.image_text.two_towers',
    {
      image_model: 'proj.image_text.naflex_vit',
      image: { ...small, pool_type: 'map' },
      text: { width: 8, depth: 1, num_heads: 2, mlp_dim: 16, vocab_size: 5 },
      out_dim: [null, 8],
      bias_init: -10,
    },
    'model',
  );
  const batch = { ...(await batchOf(await patches(4, 4))), labels: hostArray('int32', [1, 3], [1, 2, 3]) };
  const got = await run(model, batch);
  expect([...got].map(([name, { shape }]) => [name, shape])).toEqual([
    ['y/0', [1, 8]],
    ['y/1', [1, 8]],
  ]);
});

test('a released checkpoint holds separate blocks under img; a side of 5 is no class token', async () => {
  const golden = await readCase('model_naflex_gap');
  const saved = arraysUnder(golden.inputs, 'params');
  const grid = hostArray(
    'float32',
    [5, 5, 8],
    Float32Array.from({ length: 200 }, (_, i) => i),
  );
  const file = path.join(temporaryFolder(), 'naflex.npz');
  await saveNpz(file, { img: { ...saved, pos_embedding: grid } } as ParamArrays);
  const args = { ...small, num_classes: 3, nposemb: 5, scan: true };
  const initial = nest(
    namedLeaves<HostArray>(saved).map(([name, array]) => [
      name.replace('encoderblock_0', 'encoderblock'),
      name.includes('encoderblock') ? allocate('float32', [1, ...array.shape]) : array,
    ]),
  ) as ParamArrays;
  const loaded = await naflex(args).load!({ ...initial, pos_embedding: grid }, `${file}:img`, {});
  expect(loaded.pos_embedding).toEqual(grid);
  const named = new Map(namedLeaves<HostArray>(loaded as never));
  const kernel = named.get('Transformer/encoderblock/MlpBlock_0/Dense_0/kernel');
  expect(kernel?.shape).toEqual([1, 8, 16]);
  expect(kernel?.data).toEqual(golden.inputs.get('params/Transformer/encoderblock_0/MlpBlock_0/Dense_0/kernel')?.data); // prettier-ignore
});

test('what it does not take is said', () => {
  expect(() => naflex({ ...small, posemb: 'learn' })).toThrow(/expected learn_2d or learn_2d\(SIDE\)/);
  expect(() => naflex({ ...small, nposemb: undefined })).toThrow(/nposemb/);
  const scope = Scope.declaring([]);
  expect(() => naflex(small).apply(scope, {}, { train: false })).toThrow(/no "image" of four parts/);
});
