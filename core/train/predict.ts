// The functions that evaluators evaluate, and the options that a config gives them in `pred_kw`.

import { z } from 'zod';
import { catalogue } from '../errors';
import type { Batch, Loss, ModelResult, Params, PredictFn } from '../extensions';
import { Scope } from '../layers/scope';
import { parseOptions } from '../options';
import { didYouMean } from '../suggest';
import type * as tf from '../tensor';
import type { Run } from './run';

const errors = catalogue('predict', {
  unknown: (v: { evaluator: string; name: string; known: readonly string[] }) => ({
    what: `evals.${v.evaluator}.pred is "${v.name}", which isn't a predict function.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
});

type PredictFns = Readonly<Record<string, PredictFn>>;

/** A predict function with options. Each value of them is a program of its own. */
export function predictWith<Options extends z.ZodObject>(
  options: Options,
  predict: (params: Params, batch: Batch, options: z.output<Options>) => ModelResult,
): PredictFn {
  const filled = (params: Params, batch: Batch, given: object = {}) =>
    predict(params, batch, options.parse(given));
  return Object.assign(filled, { options });
}

/** Those that every run has: the model's outputs, and the loss of each example. */
export function stockPredictFns({ model }: Run, xent: Loss): PredictFns {
  const callOptions = model.callOptions ?? z.strictObject({});
  const predict = predictWith(callOptions, (params, batch, call) =>
    model.apply(Scope.reading(params), batch, { ...call, train: false }),
  );
  const loss = predictWith(callOptions, (params, batch, call) => {
    const { output, out } = predict(params, batch, call);
    const inputs = { logits: output as tf.Tensor, labels: batch.labels as tf.Tensor };
    return { output: { loss: xent(inputs, { reduction: false }) }, out };
  });
  return { predict, loss };
}

/**
 * Finds what an evaluator names. Equal options give the same function: evaluators share its programs. An evaluator may add
 * options that the config doesn't set.
 */
export function predictFinder(predictFns: PredictFns) {
  const bound = new Map<string, PredictFn>();
  return (evaluator: string, name: string, options: object | undefined): PredictFn => {
    const predict = predictFns[name];
    if (!predict) throw errors.unknown({ evaluator, name, known: Object.keys(predictFns) });
    if (options === undefined) return predict;
    const given = parseOptions(predict.options ?? z.strictObject({}), options, `evals.${evaluator}.pred_kw`);
    const key = `${name} ${JSON.stringify(given)}`;
    const found =
      bound.get(key) ?? ((params, batch, more = {}) => predict(params, batch, { ...more, ...options }));
    bound.set(key, found);
    return found;
  };
}
