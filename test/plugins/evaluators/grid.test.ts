import '../../support/cpu-backend';
import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { hostArray } from '../../../core/array';
import type { PredictFn } from '../../../core/extensions';
import type { Plugin } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import evaluators from '../../../plugins/evaluators';
import { painted } from '../../../plugins/evaluators/paint';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import { register } from '../../support/pp';
import { recorded } from '../../support/recorded';
import { temporaryFolder } from '../../support/temporary';

const floats = (shape: number[], values: number[]) => hostArray('float32', shape, values);
const pixels = (image: { data: ArrayLike<number> }) => Array.from(image.data);

test('images, heat and segments', () => {
  expect(pixels(painted(floats([1, 2, 3], [-1, 0, 1, 9, -9, 0]), 'image', [-1, 1]))).toEqual([0, 128, 255, 255, 0, 128]); // prettier-ignore
  expect(pixels(painted(floats([1, 2, 1], [0, 1]), 'image', [0, 1]))).toEqual([0, 0, 0, 255, 255, 255]);
  expect(pixels(painted(floats([1, 3], [0, 5, 10]), 'heat', [0, 10]))).toEqual([68, 1, 84, 33, 145, 140, 253, 231, 37]); // prettier-ignore
  const masks = pixels(painted(hostArray('int32', [1, 4, 2], [0, 3, 1, 1, 1, 2, 2, 1]), 'segments', [0, 1]));
  const colours = [0, 3, 6, 9].map((at) => masks.slice(at, at + 3).join());
  expect(colours[0]).toBe('0,0,0');
  expect(new Set(colours).size).toBe(4);
});

async function evaluator(options: object, predict: PredictFn, workdir?: string) {
  const runtime = await createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {});
  const image = hostArray(
    'float32',
    [5, 4, 4, 3],
    Float32Array.from({ length: 240 }, (_, i) => i / 120 - 1),
  );
  const plugins = [pp, input, evaluators, recorded({ test: { image } })] as unknown as Plugin[];
  const { registry, container } = register(...plugins);
  container.provide(tokens.registry, registry);
  container.provide(tokens.runtime, runtime);
  const given = { data: { name: 'recorded' }, ...options };
  const create = registry.create(container, 'evaluator', 'save_grid', given, 'evals.pictures');
  return create({ name: 'pictures', predict, predictFns: { predict }, batch_size: 2, workdir });
}

const negative: PredictFn = (_, { image }) => ({ output: { depth: tf.neg(image!) }, out: {} });

test('save_grid draws a row for each of the first examples', async () => {
  const workdir = temporaryFolder();
  const columns = { given: { from: 'image' }, negative: { from: 'output/depth' } };
  const { run } = await evaluator({ columns, count: 3 }, negative, workdir);
  for await (const metric of run({}, 20)) throw new Error(`no metric was expected, not ${metric[0]}`);
  expect(fs.readdirSync(workdir)).toEqual(['pictures_000000020.png']);
  const { data, info } = await sharp(path.join(workdir, 'pictures_000000020.png'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  // The pictures of a row are negatives of each other.
  const at = (x: number, y: number) => data[(y * info.width + x) * info.channels] as number;
  const column = Math.floor(info.width / 2);
  expect(info.width).toBe(2 * 144 + 3 * 8);
  expect(Math.abs(at(12, 12) + at(column + 12, 12) - 255)).toBeLessThanOrEqual(1);
  expect(info.height).toBeGreaterThan(3 * 144);
  expect(info.height).toBeLessThan(4 * 144);
});

test('save_grid says what there is to show', async () => {
  const { run } = await evaluator(
    { columns: { depth: { from: 'output/dept' } } },
    negative,
    temporaryFolder(),
  );
  await expect(run({}, 0)[Symbol.asyncIterator]().next()).rejects.toThrow(
    'evals.pictures.columns.depth is to show "output/dept", which there isn\'t.',
  );
});
