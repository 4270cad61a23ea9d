// Few-shot classification: ridge regression from frozen features of a few examples of each class.

import { z } from 'zod';
import type { HostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Batch, Evaluator, EvaluatorContext, Params } from '../../core/extensions';
import type { Runtime } from '../../core/runtime';
import { didYouMean } from '../../core/suggest';
import * as tf from '../../core/tensor';
import type { OpenedInput } from '../../core/train/run';
import { namedLeaves, subtree, type Tree } from '../../core/tree';
import { collectRows } from './collect';
import { openPass, type PassServices } from './feed';
import { numpyPermutations } from './numpy-random';
import { fitRidge, type Ridge } from './ridge';
import { padRows, rowsOf } from './rows';

const shots = z.int().min(1);
export const fewshotSchema = z.strictObject({
  datasets: z
    .record(z.string(), z.tuple([z.string(), z.string(), z.string()]))
    .describe('name in the metrics: [data source, training split, test split]'),
  shots: z.array(shots).describe('numbers of examples of each class'),
  l2_reg: z.number().positive().describe('regularization of the coefficients'),
  pp_train: z.string().default('').describe('preprocessing of examples to learn from'),
  pp_eval: z.string().default('').describe('preprocessing of examples to test on'),
  display_first: z
    .array(z.tuple([z.string(), shots]))
    .default([])
    .describe('[name, shots] whose metrics begin with "a/" and not with "z/"'),
  representation_layer: z
    .string()
    .optional()
    .describe(
      'the features: a name in the intermediates of the model, such as pre_logits; default: its output',
    ),
  num_seeds: z.int().min(1).default(3).describe('how many random choices of examples'),
  label_key: z.string().default('label').describe('key of the labels, which are numbers of classes'),
  data_dir: z.string().optional().describe('option data_dir of the data sources'),
  workers: z.int().min(0).optional().describe('worker threads for preprocessing'),
});
export type FewshotOptions = z.output<typeof fewshotSchema>;

const errors = catalogue('eval', {
  noLayer: (v: { name: string; layer: string; known: readonly string[] }) => ({
    what: `evals.${v.name}.representation_layer is "${v.layer}", which the model's intermediates lack.${didYouMean(v.layer, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
  features: (v: { name: string; shape: readonly number[] }) => ({
    what: `evals.${v.name}: features have the shape [${v.shape.join(', ')}], expected [batch, width].`,
    fix: 'name another representation_layer, such as pre_logits.',
  }),
  noLabels: (v: { name: string; key: string; known: readonly string[] }) => ({
    what: `evals.${v.name} finds no "${v.key}" in its batches, which have ${v.known.join(', ')}.${didYouMean(v.key, v.known)}`,
    fix: `keep it in pp_train and pp_eval, or name another key with label_key.`,
  }),
});

interface Represented {
  /** [examples, width] */
  readonly features: HostArray;
  readonly labels: Int32Array;
}

/** The first examples of each class in a random order, which is that of the original for the same seed. */
export function chooseShots(labels: Int32Array, classes: number, shots: number, seed: number): number[] {
  const byClass = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, i) => byClass[label]?.push(i));
  const permute = numpyPermutations(seed);
  return byClass.flatMap((indices) => permute(indices).slice(0, shots));
}

/** Traced: the scores of each class for features, [batch, classes]. */
export function scoresOf(
  features: tf.Tensor,
  { mean, std, weights }: { readonly [K in 'mean' | 'std' | 'weights']: tf.Tensor },
  constant: number,
): tf.Tensor {
  const [rows, classes] = weights.shape as [number, number];
  const whitened = tf.div(tf.sub(features, mean), std);
  const bias = tf.mul(tf.slice(weights, [rows - 1, 0], [1, classes]), constant);
  return tf.add(tf.matMul(whitened, tf.slice(weights, [0, 0], [rows - 1, classes])), bias);
}

/** The class of the highest score of each row. Features go to the device in blocks of one size. */
export async function predictRidge(
  runtime: Runtime,
  score: ReturnType<typeof scorer>,
  ridge: Ridge,
  features: HostArray,
): Promise<Int32Array> {
  const [rows] = features.shape as [number];
  const sent = {
    mean: runtime.toDevice(ridge.mean),
    std: runtime.toDevice(ridge.std),
    weights: runtime.toDevice(ridge.weights),
  };
  const found = new Int32Array(rows);
  for (let start = 0; start < rows; start += block) {
    const count = Math.min(block, rows - start);
    const part = rowsOf(
      features,
      Array.from({ length: count }, (_, i) => start + i),
    );
    const x = runtime.toDevice(padRows(part, block));
    const best = score(x, sent);
    const { data } = await runtime.toHost(best);
    found.set((data as Int32Array).subarray(0, count), start);
    tf.dispose([x, best]);
  }
  tf.dispose(Object.values(sent));
  return found;
}
const block = 1024;

export const scorer = (runtime: Runtime, name: string, constant = 100) =>
  runtime.jit(
    (x: tf.Tensor, ridge: Parameters<typeof scoresOf>[1]) =>
      tf.cast(tf.argMax(scoresOf(x, ridge, constant), 1), 'int32'),
    { name: `evals.${name} (scores)` },
  );

/** "z/NAME_5shot-seed-0" and so on: the accuracy on the test split. Features are made once a run. */
export function fewshot(
  options: FewshotOptions,
  context: EvaluatorContext,
  services: PassServices,
): Evaluator {
  const { name, predict } = context;
  const { representation_layer: layer, label_key, display_first } = options;
  const { runtime } = services;
  const featuresOf = runtime.jit(
    (params: Params, batch: Batch) => {
      const { output, out } = predict(params, batch);
      const first = Array.isArray(output) ? output[0] : output;
      const features = layer === undefined ? first : subtree<tf.Tensor>(out, layer);
      if (features === undefined || features === null) {
        const known = namedLeaves<tf.Tensor>(out as Tree<tf.Tensor>).map(([key]) => key);
        throw errors.noLayer({ name, layer: layer as string, known });
      }
      const tensor = features as tf.Tensor;
      if (tensor.rank !== 2) throw errors.features({ name, shape: tensor.shape });
      return tensor;
    },
    { name: `evals.${name} (features)` },
  );
  const score = scorer(runtime, name);

  const open = (source: string, split: string, pp_fn: string) => {
    const data = { name: source, split, ...(options.data_dir && { data_dir: options.data_dir }) };
    return openPass({ data, pp_fn, workers: options.workers }, context, services);
  };
  let opened: Promise<(readonly [name: string, train: OpenedInput, test: OpenedInput])[]> | undefined;
  const openAll = () =>
    Promise.all(
      Object.entries(options.datasets).map(async ([key, [source, train, test]]) => {
        const input = await open(source, train, options.pp_train);
        return [key, input, await open(source, test, options.pp_eval)] as const;
      }),
    );

  async function represent(params: Params, input: OpenedInput): Promise<Represented> {
    const known = Object.keys(input.spec).filter((key) => !key.startsWith('_'));
    if (!input.spec[label_key]) throw errors.noLabels({ name, key: label_key, known });
    const { features, labels } = await collectRows(runtime, input, (given) => {
      const { [label_key]: labels, _mask: _, ...batch } = given;
      return { features: featuresOf(params, batch), labels: tf.clone(labels as tf.Tensor) };
    });
    return { features, labels: labels.data as Int32Array };
  }

  return {
    async *run(params) {
      opened ??= openAll();
      const represented = [];
      for (const [key, train, test] of await opened) {
        const ofTraining = await represent(params, train);
        const most = ofTraining.labels.reduce((max, label) => Math.max(max, label), -1);
        const classes = train.classes?.length ?? most + 1;
        represented.push({ key, classes, train: ofTraining, test: await represent(params, test) });
      }
      for (let seed = 0; seed < options.num_seeds; seed++) {
        for (const { key, classes, train, test } of represented) {
          for (const shots of options.shots) {
            const chosen = chooseShots(train.labels, classes, shots, seed);
            const labels = chosen.map((i) => train.labels[i] as number);
            const ridge = fitRidge(rowsOf(train.features, chosen), labels, classes, options.l2_reg);
            const predicted = await predictRidge(runtime, score, ridge, test.features);
            const right = predicted.filter((label, i) => label === test.labels[i]).length;
            const first = display_first.some(([shown, n]) => shown === key && n === shots);
            const metric = `${first ? 'a' : 'z'}/${key}_${shots}shot-seed-${seed}`;
            yield [metric, right / predicted.length];
          }
        }
      }
    },
  };
}
