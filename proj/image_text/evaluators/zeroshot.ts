// Zero-shot classification: an image has the class whose prompts, embedded, are nearest on average (arXiv:2103.00020).

import { z } from 'zod';
import { type HostArray, hostArray } from '../../../core/array';
import { catalogue } from '../../../core/errors';
import type { Batch, Evaluator, EvaluatorContext, Params, PredictFn } from '../../../core/extensions';
import type { Jitted, Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import type { OpenedInput } from '../../../core/train/run';
import { forEachBatch, openPass, type PassServices } from '../../../plugins/evaluators';
import { embedAll, type Tower, tower } from './embed';
import { classNames, promptTemplates } from './prompts';

const names = z.union([z.string(), z.array(z.string())]);
const ofDataset = {
  class_names: names
    .optional()
    .describe('"clip", "dataset_info:label", or the names; several of one class separated by commas'),
  split: z.string().optional().describe('split of the images'),
  pp_img: z
    .string()
    .optional()
    .describe('preprocessing of images, decoded ones; "image" and "label" are kept'),
  pp_txt: z.string().optional().describe('preprocessing of prompts, from "texts" to "labels"'),
  prompt_templates: names.optional().describe('class_name_only, clip_paper, clip_best, or the templates'),
  canonicalize: z.boolean().optional().describe('lower case and no punctuation, in names and templates'),
  data_dir: z.string().optional().describe('option data_dir of the data sources'),
};
const overrides = z.strictObject({
  ...ofDataset,
  dataset_name: z.string().optional().describe('the data source, where it is not the name in the metrics'),
  class_names_dataset_name: z.string().optional().describe('whose class names to take'),
});
export const zeroshotSchema = z.strictObject({
  ...ofDataset,
  dataset_names: z.array(z.string()).default(['imagenet2012', 'cifar100', 'oxford_iiit_pet']),
  dataset_overrides: z
    .record(z.string(), overrides)
    .default({})
    .describe(
      'other options for one of the data sets; imagenet2012 has the names of CLIP and the split validation',
    ),
  first_class_name_only: z.boolean().default(true).describe('only the first of several names of a class'),
  workers: z.int().min(0).optional().describe('worker threads for preprocessing'),
});
export type ZeroshotOptions = z.output<typeof zeroshotSchema>;

const defaults = {
  class_names: 'dataset_info:label',
  split: 'test',
  prompt_templates: 'clip_paper',
  canonicalize: true,
  pp_img: 'resize(224)|value_range(-1,1)',
  pp_txt: "tokenize(max_len=16, eos='sticky', pad_value=1, inkey='texts', outkey='labels')",
} as const;

/** What a data set has unless its override says otherwise. */
const known: Readonly<Record<string, z.output<typeof overrides>>> = {
  imagenet2012: { class_names: 'clip', split: 'validation' },
};

const errors = catalogue('zeroshot', {
  missing: (v: { classes: readonly number[] }) => ({
    what: `No prompt names the class ${v.classes.slice(0, 5).join(', ')}.`,
    fix: 'give every class a name.',
  }),
  noNames: (v: { name: string; dataset: string }) => ({
    what: `evals.${v.name}: the data source "${v.dataset}" has no names of classes.`,
    fix: 'give them with class_names.',
  }),
  strayOverride: (v: { name: string; datasets: readonly string[] }) => ({
    what: `evals.${v.name}.dataset_overrides has ${v.datasets.join(', ')}, which dataset_names lacks.`,
    fix: 'take it out, or add it to dataset_names.',
  }),
});

/** The mean embedding of each class, [classes, width], of length 1 unless `normalize` is false. */
export function averageEmbeddings(
  embeddings: HostArray,
  labels: ArrayLike<number>,
  classes: number,
  { normalize = true }: { readonly normalize?: boolean } = {},
): HostArray<'float32'> {
  const [rows, width] = embeddings.shape as [number, number];
  const sums = new Float64Array(classes * width);
  const counts = new Int32Array(classes);
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    counts[label]! += 1;
    for (let i = 0; i < width; i++) sums[label * width + i]! += embeddings.data[row * width + i] as number;
  }
  const missing = Array.from(counts).flatMap((count, label) => (count === 0 ? [label] : []));
  if (missing.length > 0) throw errors.missing({ classes: missing });
  const average = new Float32Array(classes * width);
  for (let label = 0; label < classes; label++) {
    const mean = sums.subarray(label * width, (label + 1) * width).map((sum) => sum / counts[label]!);
    const length = normalize ? 1e-8 + Math.hypot(...mean) : 1;
    average.set(
      mean.map((x) => x / length),
      label * width,
    );
  }
  return hostArray('float32', [classes, width], average);
}

type Counter = Jitted<[Params, Batch, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor>;

/**
 * How many images of a batch are nearest to one of their classes (int32 scalar). label: [batch] or, for images of several
 * classes (ReaL, arXiv:2006.07159), [batch, n] with -1 for none.
 */
export function correctCounter(runtime: Runtime, predict: PredictFn, name: string): Counter {
  return runtime.jit(
    (params: Params, batch: Batch, label: tf.Tensor, mask: tf.Tensor, ztxt: tf.Tensor) => {
      const { output } = predict(params, batch);
      const zimg = (Array.isArray(output) ? output[0] : output) as tf.Tensor;
      const best = tf.cast(tf.argMax(tf.matMul(zimg, ztxt, false, true), 1), 'int32');
      const labels = label.rank === 1 ? tf.expandDims(label, 1) : label;
      const right = tf.any(tf.equal(tf.expandDims(best, 1), labels), 1);
      const counted = tf.logicalAnd(right, tf.greater(mask, 0));
      return tf.sum(tf.cast(counted, 'int32'));
    },
    { name: `evals.${name} (accuracy)` },
  );
}

export interface ZeroshotResult {
  readonly accuracy: number;
  readonly correct: number;
  readonly count: number;
  readonly average_embedding: HostArray<'float32'>;
}

export interface ZeroshotPrograms {
  readonly texts: Tower;
  readonly count: Counter;
}

export async function zeroshotAccuracy(
  runtime: Runtime,
  { texts: embed, count }: ZeroshotPrograms,
  params: Params,
  { images, texts, classes }: { images: OpenedInput; texts: OpenedInput; classes: number },
): Promise<ZeroshotResult> {
  const { embeddings, label } = await embedAll(runtime, embed, params, texts, ['label']);
  const average_embedding = averageEmbeddings(embeddings, label.data, classes);
  const ztxt = runtime.toDevice(average_embedding);
  const read = async (x: tf.Tensor) => {
    const { data } = await runtime.toHost(x);
    tf.dispose(x);
    return data as ArrayLike<number>;
  };
  const reads: Promise<readonly [correct: number, counted: number]>[] = [];
  await forEachBatch(runtime, images, ({ label, _mask, ...batch }) => {
    const mask = _mask as tf.Tensor;
    const counts = Promise.all([
      read(count(params, batch, label as tf.Tensor, mask, ztxt)),
      read(tf.clone(mask)),
    ]);
    reads.push(counts.then(([right, all]) => [right[0] as number, sum(Array.from(all))] as const));
  });
  const all = await Promise.all(reads);
  tf.dispose(ztxt);
  const correct = sum(all.map(([right]) => right));
  const counted = sum(all.map(([, n]) => n));
  return { accuracy: correct / counted, correct, count: counted, average_embedding };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** "NAME_accuracy" of each data set. */
export async function zeroshot(
  options: ZeroshotOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { name, predict } = context;
  const { dataset_names, dataset_overrides, first_class_name_only, workers, ...common } = options;
  const stray = Object.keys(dataset_overrides).filter((dataset) => !dataset_names.includes(dataset));
  if (stray.length > 0) throw errors.strayOverride({ name, datasets: stray });

  const open = (data: { name: string }, pp_fn: string) =>
    openPass({ data, pp_fn, workers }, context, services);
  const opened = await Promise.all(
    dataset_names.map(async (dataset) => {
      const own = { ...defaults, ...common, ...(dataset_overrides[dataset] ?? known[dataset]) };
      const { dataset_name = dataset, class_names_dataset_name = dataset_name, data_dir } = own;
      const data = { name: dataset_name, split: own.split, ...(data_dir !== undefined && { data_dir }) };
      const images = await open(data, `decode|${own.pp_img}|keep('label', 'image')`);
      const { class_names } = own;
      let source: string | readonly string[] = class_names;
      if (typeof class_names === 'string' && class_names.startsWith('dataset_info')) {
        if (!images.classes) throw errors.noNames({ name, dataset: dataset_name });
        source = images.classes;
      }
      const all = classNames(class_names_dataset_name, source, own.canonicalize);
      const names = first_class_name_only ? all.map((aliases) => aliases.split(',')[0] as string) : all;
      const templates = promptTemplates(own.prompt_templates, own.canonicalize);
      const prompts = { name: 'proj.image_text.prompts', class_names: names, prompt_templates: templates };
      const texts = await open(prompts, `${own.pp_txt}|keep('label', 'labels')`);
      return { dataset, images, texts, classes: names.length };
    }),
  );
  const { runtime } = services;
  const programs = {
    texts: tower(runtime, predict, 'texts', name),
    count: correctCounter(runtime, predict, name),
  };
  return {
    async *run(params) {
      for (const { dataset, ...inputs } of opened) {
        const { accuracy } = await zeroshotAccuracy(runtime, programs, params, inputs);
        yield [`${dataset}_accuracy`, accuracy];
      }
    },
  };
}
