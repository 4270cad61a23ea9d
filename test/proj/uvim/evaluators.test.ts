// Metrics of dense tasks against the original and panopticapi (test/golden/make_uvim_eval.py).

import '../../support/cpu-backend';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { hostArray } from '../../../core/array';
import { readNpz } from '../../../core/checkpoint/npz';
import type { PredictFn } from '../../../core/extensions';
import type { Plugin } from '../../../core/plugin';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import dataShapes from '../../../plugins/data-shapes';
import { shapeNames } from '../../../plugins/data-shapes/scene';
import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import uvim from '../../../proj/uvim';
import { goldenCases } from '../../support/golden';
import { expectParity } from '../../support/parity';
import { register } from '../../support/pp';
import { recorded } from '../../support/recorded';
import { temporaryFolder } from '../../support/temporary';

const plugins = [input, pp, evaluators, uvim] as unknown as Plugin[];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {});
});

const cases = goldenCases(({ folder }) => folder.startsWith('uvim_eval_')).map(({ folder }) => folder);
it('has cases', () => expect(cases.length).toBe(8));
it.each(cases)('%s', (folder) => expectParity(folder, runtime, ...plugins));

async function metricsOf(type: string, options: object, predict: PredictFn, workdir?: string) {
  const data = recorded({ test: { image: hostArray('float32', [3, 2, 2, 1], Array.from({ length: 12 }, (_, i) => i / 12)) } }); // prettier-ignore
  const { registry, container } = register(...plugins, dataShapes as unknown as Plugin, data);
  container.provide(tokens.registry, registry);
  container.provide(tokens.runtime, runtime);
  container.provide(tokens.root, '/nowhere');
  const create = registry.create(container, 'evaluator', type, options, 'evals.val');
  const evaluator = await create({ name: 'val', predict, predictFns: { predict }, batch_size: 2, workdir });
  const found: Record<string, number> = {};
  for await (const [name, value] of evaluator.run({}, 7)) found[name] = value;
  return found;
}

const things = shapeNames.map((name, i) => ({ id: i + 1, name, isthing: true }));
const categories = [...things, { id: things.length + 1, name: 'background', isthing: false }];
const shapes = {
  data: { name: 'shapes', split: 'test', count: 5, size: 24 },
  pp_fn: 'coco_panoptic|concat(["semantics", "instances"], "labels")|make_canonical|keep("labels")',
  categories,
};
const labels: PredictFn = (_, batch) => ({ output: batch.labels!, out: {} });

it('panoptic quality of the labels themselves is 1, whatever instances are called', async () => {
  const metrics = await metricsOf('proj.uvim.coco_panoptic', shapes, labels);
  expect(Object.keys(metrics)).toEqual(
    ['All', 'Stuff', 'Things'].flatMap((group) => ['pq', 'rq', 'sq'].map((metric) => `${group}_${metric}`)),
  );
  for (const value of Object.values(metrics)) expect(value).toBe(1);
});

it('panoptic quality of the background alone', async () => {
  const predict: PredictFn = (_, batch) => ({
    output: tf.mul(tf.onesLike(batch.labels!), tf.tensor([categories.length, 1], [2], 'int32')),
    out: {},
  });
  const { Stuff_rq, Things_pq } = await metricsOf('proj.uvim.coco_panoptic', shapes, predict);
  expect([Stuff_rq, Things_pq]).toEqual([1, 0]);
});

it('panoptic quality without categories, or with too few, is an error that says what to do', async () => {
  const { categories: _, ...without } = shapes;
  await expect(metricsOf('proj.uvim.coco_panoptic', without, labels)).rejects.toThrow(
    /\/nowhere\/panoptic_coco_categories\.json, which isn't there/,
  );
  const few = { ...shapes, categories: things.slice(0, 1) };
  await expect(metricsOf('proj.uvim.coco_panoptic', few, labels)).rejects.toThrow(
    'the number of categories is 1',
  );
});

it('psnr, means and predictions', async () => {
  const data = { name: 'recorded' };
  const shifted: PredictFn = (_, { image }) => ({ output: { color: tf.add(image!, 0.2) }, out: {} });
  const { PSNR } = await metricsOf('proj.uvim.psnr', { data, label_key: 'image' }, shifted);
  expect(PSNR).toBeCloseTo(20, 4);
  const mean: PredictFn = (_, { image }) => ({ output: { loss: tf.mean(image!, [1, 2, 3]) }, out: {} });
  const { loss } = await metricsOf('proj.uvim.compute_mean', { data }, mean);
  expect(loss).toBeCloseTo(11 / 24, 5);
  const workdir = temporaryFolder();
  await metricsOf('proj.uvim.save_predictions', { data, outfile: 'inference.npz' }, shifted, workdir);
  const saved = await readNpz(path.join(workdir, 'inference.npz'));
  expect([...saved.keys()].sort()).toEqual(['inputs/image', 'outputs/color']);
  expect(fs.readdirSync(workdir)).toEqual(['inference.npz']);
});

it('FID is an error that says why', async () => {
  await expect(metricsOf('proj.uvim.coltran_fid', {}, labels)).rejects.toThrow(/Inception/);
});
