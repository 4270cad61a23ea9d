import '../../support/cpu-backend';
import * as path from 'node:path';
import { z } from 'zod';
import { hostArray, sizeOf } from '../../../core/array';
import { readNpz } from '../../../core/checkpoint/npz';
import type { PredictFn } from '../../../core/extensions';
import { definePlugin, type Plugin } from '../../../core/plugin';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import evaluators from '../../../plugins/evaluators';
import { chooseShots } from '../../../plugins/evaluators/fewshot';
import { fitRidge } from '../../../plugins/evaluators/ridge';
import input from '../../../plugins/input';
import losses from '../../../plugins/losses';
import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import { XlaRuntime } from '../../../plugins/xla';
import imageText from '../../../proj/image_text';
import { register } from '../../support/pp';
import { type Arrays, recorded } from '../../support/recorded';
import { temporaryFolder } from '../../support/temporary';

interface Setup {
  readonly type: string;
  readonly options: object;
  readonly predict: PredictFn;
  readonly workdir?: string;
}

const floats = (shape: number[], f: (i: number) => number) =>
  hostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => f(i)),
  );
const ints = (values: number[]) => hostArray('int32', [values.length], values);

describe.each([
  ['cpu', () => createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {})],
  ['xla on 4 devices', () => XlaRuntime.create({ platform: 'cpu', devices: 4 })],
] as [string, () => Promise<Runtime>][])('evaluators, %s', (_, start) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await start();
  });
  afterAll(() => runtime.dispose());

  async function metricsOf(
    splits: Readonly<Record<string, Arrays>>,
    { type, options, predict, workdir }: Setup,
    classes?: readonly string[],
  ): Promise<Record<string, number>> {
    const plugins = [losses, pp, input, evaluators, imageText, recorded(splits, classes)];
    const { registry, container } = register(...(plugins as unknown as Plugin[]));
    container.provide(tokens.registry, registry);
    container.provide(tokens.runtime, runtime);
    const create = registry.create(container, 'evaluator', type, options, 'evals.val');
    const evaluator = await create({ name: 'val', predict, predictFns: { predict }, batch_size: 4, workdir });
    const found: Record<string, number> = {};
    for await (const [name, value] of evaluator.run({}, 7)) found[name] = value;
    return found;
  }
  const data = { name: 'recorded' };

  it('mean: padding does not count, not even as NaN', async () => {
    const predict: PredictFn = (_, { x }) => ({
      output: { twice: tf.mul(x!, 2), inverse: tf.div(1, x!) },
      out: {},
    });
    const test = { x: floats([6], (i) => i + 1) };
    const { twice, inverse } = await metricsOf({ test }, { type: 'mean', options: { data }, predict });
    expect(twice).toBeCloseTo(7, 5);
    expect(inverse).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6) / 6, 5);
  });

  it('mean: says which value is not one for each example', async () => {
    const predict: PredictFn = (_, { x }) => ({ output: { whole: x! }, out: {} });
    const test = { x: floats([4, 2], (i) => i) };
    await expect(metricsOf({ test }, { type: 'mean', options: { data }, predict })).rejects.toThrow(
      'evals.val: "whole" has the shape [4, 2], expected [4]',
    );
  });

  it('save: inputs and outputs of all examples, in order', async () => {
    const workdir = temporaryFolder();
    const predict: PredictFn = (_, { x }) => ({ output: tf.mul(x!, 2), out: { mid: x!, t: tf.scalar(1) } });
    const test = { x: floats([6, 2], (i) => i) };
    const options = { data, outfile: '{workdir}/a/pred-{step:04d}.npz' };
    expect(await metricsOf({ test }, { type: 'save', options, predict, workdir })).toEqual({});
    const saved = await readNpz(path.join(workdir, 'a/pred-0007.npz'));
    expect([...saved.keys()].sort()).toEqual(['inputs/x', 'outputs/0', 'outputs/1/mid']);
    expect(saved.get('outputs/0')!.shape).toEqual([6, 2]);
    expect([...saved.get('outputs/0')!.data]).toEqual(Array.from({ length: 12 }, (_, i) => 2 * i));
  });

  it('fewshot_lsr: separable classes are told apart, from the layer that is asked for', async () => {
    const predict: PredictFn = (_, { x }) => ({ output: tf.zerosLike(x!), out: { pre_logits: x! } });
    const split = (n: number) => ({
      x: floats([n, 3], (i) => (Math.floor(i / 3) % 3 === i % 3 ? 4 : 0) + Math.sin(i)),
      label: ints(Array.from({ length: n }, (_, i) => i % 3)),
    });
    const options = {
      datasets: { toy: ['recorded', 'train', 'test'] },
      shots: [1, 5],
      l2_reg: 1,
      display_first: [['toy', 5]],
      representation_layer: 'pre_logits',
      num_seeds: 2,
    };
    const splits = { train: split(30), test: split(10) };
    const metrics = await metricsOf(splits, { type: 'fewshot_lsr', options, predict });
    expect(Object.keys(metrics)).toEqual([
      'z/toy_1shot-seed-0',
      'a/toy_5shot-seed-0',
      'z/toy_1shot-seed-1',
      'a/toy_5shot-seed-1',
    ]);
    expect(metrics['a/toy_5shot-seed-0']).toBe(1);
  });

  it('proj.image_text.contrastive: pairs of one batch', async () => {
    const predict: PredictFn = (_, { zimg, ztxt }) => ({ output: [zimg!, ztxt!], out: { t: tf.scalar(5) } });
    const eye = floats([4, 4], (i) => (i % 5 === 0 ? 1 : 0));
    const options = { data };
    const metrics = await metricsOf({ test: { zimg: eye, ztxt: eye } }, { type: 'proj.image_text.contrastive', options, predict }); // prettier-ignore
    expect(metrics.ncorrect_minibatch).toBe(1);
    expect(metrics.loss).toBeCloseTo(Math.log1p(3 * Math.exp(-5)), 5);
  });

  it('proj.image_text.discriminative_classifier: the class whose prompts are nearest; any of several labels', async () => {
    // Prompts are as long as the name: class i has i + 1 letters, whatever the template.
    const zimg = floats([6, 3], (i) => (Math.floor(i / 3) % 3 === i % 3 ? 1 : 0));
    const label = hostArray('int32', [6, 2], [0, -1, 1, -1, 0, 2, 1, -1, 1, 0, 2, -1]);
    const predict: PredictFn = (_, batch) => {
      const ztxt = batch.labels && tf.oneHot(tf.cast(tf.sum(tf.cast(tf.greater(batch.labels, 0), 'int32'), 1), 'int32'), 3, 1, 0, 'float32'); // prettier-ignore
      return { output: [batch.image, ztxt], out: {} };
    };
    const options = {
      dataset_names: ['recorded'],
      prompt_templates: ['{}'],
      pp_img: "copy('image', 'image')",
      pp_txt: 'toy_tokens()',
    };
    const toy = definePlugin({
      name: 'toy',
      version: '0.1.0',
      core: '*',
      doc: '',
      register: ({ register }) =>
        register('pp', 'toy_tokens', {
          doc: '',
          options: z.strictObject({}),
          create: () => (example) => ({
            ...example,
            labels: hostArray('int32', [3], Array.from({ length: 3 }, (_, i) => Number(i < (example.texts as string).length))), // prettier-ignore
          }),
        }),
    });
    const splits = { test: { image: zimg, label } };
    const plugins = [losses, pp, input, evaluators, imageText, toy, recorded(splits, ['', 'x', 'xy'])];
    const { registry, container } = register(...(plugins as unknown as Plugin[]));
    container.provide(tokens.registry, registry);
    container.provide(tokens.runtime, runtime);
    const type = 'proj.image_text.discriminative_classifier';
    const create = registry.create(container, 'evaluator', type, options, 'evals.val');
    const evaluator = await create({ name: 'val', predict, predictFns: { predict }, batch_size: 4 });
    const found: Record<string, number> = {};
    for await (const [name, value] of evaluator.run({}, 7)) found[name] = value;
    // Images 0, 1 and 2 of 0, 1 and 2; 3 (0) isn't 1; 4 (1) is 1 or 0; 5 (2) is 2.
    expect(found.recorded_accuracy).toBeCloseTo(5 / 6, 6);
  });
});

describe('few-shot regression', () => {
  it('is the same with fewer examples than features, by the other formula', () => {
    const wide = floats([4, 9], (i) => Math.sin(i * i));
    const { weights, mean, std } = fitRidge(wide, [0, 1, 0, 1], 2, 10);
    // The normal equations hold: (x'x + l2) w = x'y.
    const x = Array.from({ length: 4 }, (_, row) => [
      ...Array.from({ length: 9 }, (_, i) => (wide.data[row * 9 + i]! - mean.data[i]!) / std.data[i]!),
      100,
    ]);
    const y = [[1, -1], [-1, 1], [1, -1], [-1, 1]]; // prettier-ignore
    for (let i = 0; i < 10; i++)
      for (let c = 0; c < 2; c++) {
        const fit = x.map((row) => row.reduce((sum, value, j) => sum + value * weights.data[j * 2 + c]!, 0));
        const left = x.reduce((sum, row, n) => sum + row[i]! * fit[n]!, 0) + 10 * weights.data[i * 2 + c]!;
        const right = x.reduce((sum, row, n) => sum + row[i]! * y[n]![c]!, 0);
        expect(Math.abs(left - right)).toBeLessThan(1e-2);
      }
  });

  it('chooses the same examples for the same seed, and no more than there are', () => {
    const labels = Int32Array.from([0, 1, 0, 1, 1, 0, 2]);
    const chosen = chooseShots(labels, 3, 2, 5);
    expect(chosen).toEqual(chooseShots(labels, 3, 2, 5));
    expect(chosen.map((i) => labels[i])).toEqual([0, 0, 1, 1, 2]);
    expect(new Set(chosen).size).toBe(5);
  });
});
