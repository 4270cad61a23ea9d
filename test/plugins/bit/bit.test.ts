import { join } from 'node:path';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model, ParamArrays } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { TensorSpec } from '../../../core/runtime';
import { mapNamed, namedLeaves, nest, type Tree } from '../../../core/tree';
import {
  bit,
  bitOptions,
  bitPaper,
  bitPaperOptions,
  fixOldBit,
  fromBigTransfer,
  loadBitPaper,
  releasedBit,
} from '../../../plugins/bit';
import { XlaRuntime } from '../../../plugins/xla';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const declare = (model: Model, image: readonly number[] = [1, 32, 32, 3]) =>
  declareParams(runtime, model, { image: new TensorSpec('float32', image) });
const count = (model: Model) => declare(model).reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);

test.each([
  [50, 1, 25_549_352],
  [101, 1, 44_541_480],
  [50, 3, 217_319_080],
])('BiT R%dx%d has %d parameters with a head of 1000 classes', (depth, width, expected) => {
  const options = { depth, width, num_classes: 1000 };
  expect(count(bitPaper(bitPaperOptions.parse(options)))).toBe(expected);
});

test('options', () => {
  expect(() => bitOptions.parse({ depth: 51 })).toThrow(/expected one of 26, 50, 101, 152, 200/);
  expect(() => declare(bit(bitOptions.parse({ width: 0.7 })))).toThrow(
    /44 channels can't be divided into 32 groups/,
  );
  expect(
    declare(bit(bitOptions.parse({ width: 0.5, depth: [1] }))).some(({ name }) => /^head/.test(name)),
  ).toBe(false);
});

const leaves = (tree: ParamArrays) => new Map(namedLeaves<HostArray>(tree as Tree<HostArray>));

/** Parameters of a small model with values that tell them apart. */
function example(model: Model): ParamArrays {
  let next = 0;
  return nest(
    declare(model).map(({ name, spec: { shape } }) => [
      name,
      hostArray(
        'float32',
        shape,
        Array.from({ length: sizeOf(shape) }, () => next++),
      ),
    ]),
  ) as ParamArrays;
}

test('norms of old versions lose their axes of 1', () => {
  const params = example(bit(bitOptions.parse({ width: 0.5, depth: [1], num_classes: 2 })));
  const old = mapNamed(params, (name, array: HostArray) =>
    /gn/.test(name) ? hostArray('float32', [1, 1, 1, ...array.shape], array.data) : array,
  );
  expect(leaves(fixOldBit(old))).toEqual(leaves(params));
});

/** As Big Transfer's own code names them. */
function legacy(params: ParamArrays): ParamArrays {
  const rename = (name: string) =>
    name
      .replace('root_block/conv_root/', 'root_block/standardized_conv2d/')
      .replace('norm-pre-head', 'group_norm')
      .replace('head/', 'head/conv2d/')
      .replace('conv_proj', 'a/proj/standardized_conv2d')
      .replace(
        /(conv|gn)(\d)\//,
        (_, kind, i) => `${'abc'[Number(i) - 1]}/${kind === 'gn' ? 'group_norm' : 'standardized_conv2d_17'}/`,
      ) // prettier-ignore
      .replace(/group_norm\/bias/, 'group_norm/beta')
      .replace(/group_norm\/scale/, 'group_norm/gamma');
  const shapeOf = (name: string, shape: readonly number[]) =>
    name === 'head/kernel' ? [1, 1, ...shape] : /gn|norm/.test(name) ? shape.slice(3) : shape;
  return nest(
    [...leaves(params)].map(([name, { shape, data }]) => [
      `resnet/${rename(name)}`,
      hostArray('float32', shapeOf(name, shape), data),
    ]),
  ) as ParamArrays;
}

const options = bitPaperOptions.parse({ width: 0.5, depth: [1, 2], num_classes: 2 });

test('released checkpoints are converted, others are taken as they are', async () => {
  const params = example(bitPaper(options));
  expect(leaves(fromBigTransfer(params))).toEqual(leaves(params));
  expect(leaves(fromBigTransfer(legacy(params)))).toEqual(leaves(params));

  const file = join(temporaryFolder(), 'BiT.npz');
  await saveNpz(file, legacy(params));
  const init = mapNamed(params, (_, { shape }: HostArray) => hostArray('float32', shape, new Float32Array(sizeOf(shape)))); // prettier-ignore
  const loaded = leaves(await loadBitPaper(init, file, options, ['head/.*']));
  expect(loaded.get('head/bias')?.data).toEqual(new Float32Array(2));
  expect(loaded.get('block2/unit02/conv3/kernel')).toEqual(leaves(params).get('block2/unit02/conv3/kernel'));
  const { resnet } = legacy(params) as Record<string, ParamArrays>;
  const { head: _, ...headless } = resnet as ParamArrays;
  expect(() => fromBigTransfer({ resnet: headless } as ParamArrays)).toThrow(
    /has no "resnet\/head\/conv2d\/kernel"/,
  );
});

test('short names of released checkpoints', async () => {
  const r50 = bitOptions.parse({});
  expect(releasedBit('M', r50)).toBe('gs://bit_models/BiT-M-R50x1.npz');
  expect(releasedBit('M-imagenet2012', bitOptions.parse({ depth: 101, width: 3 }))).toBe(
    'gs://bit_models/BiT-M-R101x3-ILSVRC2012.npz',
  );
  expect(releasedBit('S-run0-caltech101', r50)).toBe('gs://bit_models/BiT-S-R50x1-run0-caltech101.npz');
  expect(releasedBit('./M.npz', r50)).toBeUndefined();
  await expect(loadBitPaper({}, 'FunMatch-224px-i1k82.8', options)).rejects.toThrow(/gs:\/\/bit_models\/distill\/R50x1_224\.npz/); // prettier-ignore
});
