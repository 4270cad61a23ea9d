// Accuracy and loss of a classifier. Everything is summed on the device(s); the host reads three numbers at the end.

import { z } from 'zod';
import { hostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Batch, Evaluator, EvaluatorContext, Loss, Params, PredictFn } from '../../core/extensions';
import type { Jitted, Runtime } from '../../core/runtime';
import { didYouMean } from '../../core/suggest';
import * as tf from '../../core/tensor';
import type { OpenedInput } from '../../core/train/run';
import { forEachBatch, openPass, passOptions, type PassServices } from './feed';

export const classificationSchema = z.strictObject({
  ...passOptions,
  loss_name: z.string().describe('the loss to report: see `bv list losses`'),
  label_key: z.string().default('labels').describe('key of the labels: vectors with a value for each class'),
});
export type ClassificationOptions = z.output<typeof classificationSchema>;

const errors = catalogue('eval', {
  noLabels: (v: { name: string; key: string; known: readonly string[] }) => ({
    what: `evals.${v.name} finds no "${v.key}" in its batches, which have ${v.known.join(', ')}.${didYouMean(v.key, v.known)}`,
    fix: `keep it in evals.${v.name}.pp_fn, or name another key with label_key.`,
  }),
  labelShape: (v: { name: string; key: string; shape: readonly number[] }) => ({
    what: `evals.${v.name}: "${v.key}" has the shape [${v.shape.join(', ')}], expected [batch, classes].`,
    fix: `add onehot(CLASSES, key='${v.key}') to evals.${v.name}.pp_fn.`,
  }),
});

/** Sums over examples, as scalars. */
export type Sums = { readonly ncorrect: tf.Tensor; readonly loss: tf.Tensor; readonly nseen: tf.Tensor };

/**
 * Traced: what a batch adds. An example whose labels are all zero doesn't count, and neither does padding. A prediction is
 * as right as the label's value at the class of the largest logit.
 */
export function sumsOf(logits: tf.Tensor, labels: tf.Tensor, mask: tf.Tensor, loss: Loss): Sums {
  const counts = tf.mul(mask, tf.max(labels, 1));
  const losses = loss({ logits, labels }, { reduction: false });
  const best = tf.oneHot(tf.cast(tf.argMax(logits, 1), 'int32'), labels.shape[1] as number, 1, 0, 'float32');
  const correct = tf.sum(tf.mul(labels, best), 1);
  return {
    ncorrect: tf.sum(tf.mul(correct, counts)),
    loss: tf.sum(tf.mul(losses, counts)),
    nseen: tf.sum(counts),
  };
}

type Step = Jitted<[Params, Batch, tf.Tensor, tf.Tensor, Sums], Sums>;

/** Programs are shared by evaluators that differ in their data alone. */
const programs = new WeakMap<Runtime, WeakMap<PredictFn, Map<string, Step>>>();

function stepFor(
  runtime: Runtime,
  predict: PredictFn,
  { loss_name, label_key }: ClassificationOptions,
  loss: Loss,
  { spec }: OpenedInput,
): Step {
  // With other shapes it would be compiled anew anyway, and reported as an accident.
  const key = JSON.stringify([loss_name, label_key, spec]);
  const ofRuntime = programs.get(runtime) ?? new WeakMap<PredictFn, Map<string, Step>>();
  programs.set(runtime, ofRuntime);
  const ofPredict = ofRuntime.get(predict) ?? new Map<string, Step>();
  ofRuntime.set(predict, ofPredict);
  let step = ofPredict.get(key);
  if (!step) {
    const add = (params: Params, batch: Batch, labels: tf.Tensor, mask: tf.Tensor, sums: Sums): Sums => {
      const { output } = predict(params, batch);
      // Of several outputs the first is the logits.
      const logits = (Array.isArray(output) ? output[0] : output) as tf.Tensor;
      const added = sumsOf(logits, labels, mask, loss);
      return {
        ncorrect: tf.add(sums.ncorrect, added.ncorrect),
        loss: tf.add(sums.loss, added.loss),
        nseen: tf.add(sums.nseen, added.nseen),
      };
    };
    step = runtime.jit(add, { name: `classification (${loss_name})`, donate: [4] });
    ofPredict.set(key, step);
  }
  return step;
}

export interface ClassificationServices extends PassServices {
  /** Makes a loss by its name. */
  readonly lossNamed: (name: string, where: string) => Loss;
}

export async function classification(
  options: ClassificationOptions,
  context: EvaluatorContext,
  services: ClassificationServices,
): Promise<Evaluator> {
  const { loss_name, label_key } = options;
  const { name, predict } = context;
  const { runtime, lossNamed } = services;
  const loss = lossNamed(loss_name, `evals.${name}.loss_name`);
  const input = await openPass(options, context, services);
  checkLabels(input, name, label_key);
  const step = stepFor(runtime, predict, options, loss, input);

  return {
    async *run(params) {
      const zero = () => runtime.toDevice(hostArray('float32', [], [0]));
      let sums: Sums = { ncorrect: zero(), loss: zero(), nseen: zero() };
      await forEachBatch(runtime, input, ({ [label_key]: labels, _mask: mask, ...batch }) => {
        sums = step(params, batch, labels as tf.Tensor, mask as tf.Tensor, sums);
      });
      const [ncorrect, losses, nseen] = await Promise.all(
        [sums.ncorrect, sums.loss, sums.nseen].map(
          async (sum) => (await runtime.toHost(sum)).data[0] as number,
        ),
      );
      tf.dispose(Object.values(sums));
      yield ['prec@1', (ncorrect as number) / (nseen as number)];
      yield ['loss', (losses as number) / (nseen as number)];
    },
  };
}

function checkLabels(input: OpenedInput, name: string, key: string): void {
  const labels = input.spec[key];
  const known = Object.keys(input.spec).filter((other) => !other.startsWith('_'));
  if (!labels) throw errors.noLabels({ name, key, known });
  if (labels.shape.length !== 2) throw errors.labelShape({ name, key, shape: labels.shape });
}
