// The evaluators of a config: made when they are first needed, each on its own period.

import { catalogue } from '../errors';
import type { Evaluator, EvaluatorContext, Params, PredictFn } from '../extensions';
import { type Registry } from '../extensions';
import type { Config } from '../config/schema';
import type { TrainState, TrainerHooks } from '../hooks';
import { Scope } from '../layers/scope';
import { didYouMean } from '../suggest';
import type { Loss } from '../extensions';
import type * as tf from '../tensor';
import { mapNamed, subtree, type Tree } from '../tree';
import type { Run } from './run';
import { stepsOf } from './steps';
import { withVariables } from './variables';

const errors = catalogue('eval', {
  unknownPredict: (v: { evaluator: string; name: string; known: readonly string[] }) => ({
    what: `evals.${v.evaluator}.pred is "${v.name}", which isn't a predict function.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
  unknownParams: (v: { evaluator: string; name: string; known: readonly string[] }) => ({
    what: `evals.${v.evaluator}.params is "${v.name}", but no such parameters are kept.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}; or add the plugin that keeps them to the config.`,
  }),
});

/** What evaluators read of the train state. */
export type EvaluatedState = Pick<TrainState, 'params' | 'extra'>;

export interface DueEvaluator {
  readonly name: string;
  readonly prefix: string;
  /** undefined: only before the first and after the last step. */
  readonly every: number | undefined;
  readonly skipFirst: boolean;
  /** Where in the train state its parameters are. */
  readonly place: string;
  run(state: EvaluatedState, step: number): AsyncIterable<readonly [metric: string, value: number]>;
}

/** The predict functions that every run has: the model's outputs, and the loss of each example. */
function stockPredictFns(run: Run, xent: Loss): Record<string, PredictFn> {
  const predict: PredictFn = (params, batch) =>
    run.model.apply(Scope.reading(params), batch, { train: false });
  const loss: PredictFn = (params, batch) => {
    const { output, out } = predict(params, batch);
    const inputs = { logits: output as tf.Tensor, labels: batch.labels as tf.Tensor };
    return { output: { loss: xent(inputs, { reduction: false }) }, out };
  };
  return { predict, loss };
}

/** The fields of an entry of `evals` that the trainer itself reads; the rest are the evaluator's options. */
export function splitEvalConfig(name: string, entry: Config['evals'][string]) {
  const {
    type,
    pred,
    params,
    prefix,
    skip_first,
    batch_size,
    log_steps,
    log_epochs,
    log_examples,
    log_percent,
    ...options
  } = entry;
  return {
    type: type ?? name,
    pred,
    params,
    prefix: prefix ?? `${name}/`,
    skipFirst: skip_first,
    batch_size,
    period: { log_steps, log_epochs, log_examples, log_percent },
    options: options as Record<string, unknown>,
  };
}

/** Parameters at a place of the train state, with the variables; those that it lacks are shared with `params`. */
export function paramsAt(state: EvaluatedState, place: string): Params {
  const own = subtree<tf.Tensor>(state as unknown as Tree<tf.Tensor>, place);
  const params = mapNamed<tf.Tensor, tf.Tensor>(
    state.params,
    (name, param) => (subtree(own, name) ?? param) as tf.Tensor,
  );
  return withVariables(params, state.extra);
}

export function evaluatorsOf(
  hooks: TrainerHooks,
  run: Run,
  registry: Registry,
  loss: Loss,
): readonly DueEvaluator[] {
  const predictFns = hooks.predict.call(stockPredictFns(run, loss), run);
  const places = hooks.params.call({ params: 'params' }, run);
  return Object.entries(run.config.evals).map(([name, entry]) => {
    const { type, pred, params, prefix, skipFirst, batch_size, period, options } = splitEvalConfig(
      name,
      entry,
    );
    const predict = predictFns[pred];
    if (!predict)
      throw errors.unknownPredict({ evaluator: name, name: pred, known: Object.keys(predictFns) });
    const place = places[params];
    if (place === undefined)
      throw errors.unknownParams({ evaluator: name, name: params, known: Object.keys(places) });
    const create = registry.create(run.container, 'evaluator', type, options, `evals.${name}`);
    const context: EvaluatorContext = {
      name,
      predict,
      predictFns,
      batch_size: batch_size ?? run.config.input.batch_size,
      workdir: run.workdir,
    };
    let made: Promise<Evaluator> | undefined;
    return {
      name,
      prefix,
      skipFirst,
      place,
      every: stepsOf('log', period, run.length, undefined),
      async *run(state, step) {
        made ??= Promise.resolve(create(context));
        for await (const [metric, value] of (await made).run(paramsAt(state, place), step))
          yield [`${prefix}${metric}`, value] as const;
      },
    };
  });
}
