// The evaluators of image and text on a small data set: against plain loops, and on one device and on eight.

import { z } from 'zod';
import { hostArray } from '../../../core/array';
import type { Evaluator, PredictFn } from '../../../core/extensions';
import { definePlugin } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import losses from '../../../plugins/losses';
import pp from '../../../plugins/pp';
import { XlaRuntime } from '../../../plugins/xla';
import imageText from '../../../proj/image_text';
import { register } from '../../support/pp';

const width = 6;
const pictures = 21;
const classes = ['one', 'two', 'three'];

/** A vector of its own for each picture; texts are near that of their picture, and names of classes near their pictures. */
const vector = (of: number, noise = 0) =>
  Float32Array.from({ length: width }, (_, i) => Math.sin(of * 7.3 + i * 2.1) + noise * Math.cos(of * 3.7 + i * 1.3 + noise)); // prettier-ignore
const captionsOf = (i: number) => Array.from({ length: 1 + (i % 3) }, (_, caption) => `${i} ${caption}`);
const textVector = (text: string) => {
  const label = classes.indexOf(text);
  const [of, caption] = text.split(' ').map(Number) as [number, number];
  return label < 0 ? vector(of, 0.9 + caption) : vector(label);
};

const toy = definePlugin({
  name: 'toy',
  version: '1.0.0',
  core: '*',
  doc: 'For tests.',
  register({ register }) {
    register('data', 'toy', {
      doc: '',
      options: z.strictObject({ split: z.string() }),
      create: () => ({
        size: pictures,
        classes,
        get: (i) => ({
          image: hostArray('float32', [width], vector(i)),
          label: hostArray('int32', [], [i % 3]),
          captions: { text: captionsOf(i) },
        }),
      }),
    });
    register('pp', 'words', {
      doc: '',
      options: z.strictObject({ inkey: z.string().default('texts') }),
      create:
        ({ inkey }) =>
        (example) => {
          const text = [example[inkey] as string | readonly string[]].flat()[0] as string;
          return { ...example, labels: hostArray('float32', [width], textVector(text)) };
        },
    });
  },
});

const predict: PredictFn = (_, { image, labels }) => ({ output: [image, labels], out: { t: tf.ones([1]) } });

const settings: Readonly<Record<string, object>> = {
  retrieval: { dataset: 'toy', txt_name: ['captions', 'text'], pp_img: '', pp_txt: 'words' },
  discriminative_classifier: {
    dataset_names: ['toy'],
    prompt_templates: ['{}'],
    pp_img: '',
    pp_txt: 'words',
  },
  contrastive: {
    data: { name: 'toy', split: 'test' },
    pp_fn: 'flatten|words(inkey="captions/text")|keep("image", "labels")',
  },
};

async function metricsOn(devices: number): Promise<Record<string, number>> {
  const runtime = await XlaRuntime.create({ platform: 'cpu', devices });
  const { registry, container } = register(losses, pp, input, evaluators, imageText as never, toy);
  container.provide(tokens.registry, registry);
  container.provide(tokens.runtime, runtime);
  const found: Record<string, number> = {};
  for (const [type, options] of Object.entries(settings)) {
    const create = registry.create(container, 'evaluator', `proj.image_text.${type}`, options, 'evals.val');
    const context = { name: 'val', predict, predictFns: { predict }, batch_size: 8 };
    const evaluator: Evaluator = await create(context);
    for await (const [name, value] of evaluator.run({}, 0)) found[name] = value;
  }
  runtime.dispose();
  return found;
}

/** The shares of queries that have their own id among the nearest k, by plain loops. */
function recall(queries: readonly [number, Float32Array][], candidates: typeof queries, k: number): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const hits = queries.filter(([id, q]) => {
    const nearest = candidates
      .map(([other, c]) => ({ other, similarity: dot(q, c) }))
      .sort((a, b) => b.similarity - a.similarity);
    return nearest.slice(0, k).some(({ other }) => other === id);
  });
  return hits.length / queries.length;
}

test('one device and eight give the same, and what plain loops give', async () => {
  // One after the other: a process has one active runtime.
  const one = await metricsOn(1);
  const eight = await metricsOn(8);
  expect(Object.keys(one).sort()).toEqual([
    'img2txt_recall@1',
    'img2txt_recall@10',
    'img2txt_recall@5',
    'loss',
    'ncorrect_minibatch',
    'toy_accuracy',
    'txt2img_recall@1',
    'txt2img_recall@10',
    'txt2img_recall@5',
  ]);
  for (const [name, value] of Object.entries(one))
    expect([name, eight[name]]).toEqual([name, expect.closeTo(value, 5)]);

  const images = Array.from({ length: pictures }, (_, i) => [i, vector(i)] as [number, Float32Array]);
  const texts = images.flatMap(([i]) => captionsOf(i).map((text) => [i, textVector(text)] as typeof images[0])); // prettier-ignore
  for (const k of [1, 5, 10]) {
    expect(one[`img2txt_recall@${k}`]).toBeCloseTo(recall(images, texts, k), 10);
    expect(one[`txt2img_recall@${k}`]).toBeCloseTo(recall(texts, images, k), 10);
  }
  // Neither all nor none, or the test would show nothing.
  for (const k of [1, 5]) expect(one[`txt2img_recall@${k}`]).toBeGreaterThan(0.05);
  expect(one['txt2img_recall@1']).toBeLessThan(0.95);
});
