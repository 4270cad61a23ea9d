// The evaluators of a config: made when they are first needed, each on its own period.

import { catalogue } from '../errors';
import type { Evaluator, EvaluatorContext, Loss, Params, Registry } from '../extensions';
import type { Config } from '../config/schema';
import type { TrainState, TrainerHooks } from '../hooks';
import { didYouMean } from '../suggest';
import type * as tf from '../tensor';
import { mapNamed, subtree, type Tree } from '../tree';
import { predictFinder, stockPredictFns } from './predict';
import type { Run } from './run';
import { stepsOf } from './steps';
import { withVariables } from './variables';

const errors = catalogue('eval', {
  unknownParams: (v: { evaluator: string; name: string; known: readonly string[] }) => ({
    what: `evals.${v.evaluator}.params is "${v.name}", but no such parameters are kept.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}; or add the plugin that keeps them to the config.`,
  }),
});

/** What evaluators read of the train state. */
export type EvaluatedState = Pick<TrainState, 'params' | 'extra'>;

export interface DueEvaluator {
  readonly name: string;
  /** undefined: only before the first step, and when a run that is done is started again. */
  readonly every: number | undefined;
  readonly skipFirst: boolean;
  /** Where in the train state its parameters are. */
  readonly place: string;
  run(state: EvaluatedState, step: number): AsyncIterable<readonly [metric: string, value: number]>;
}

/** The fields of an entry of `evals` that the trainer itself reads; the rest are the evaluator's options. */
export function splitEvalConfig(name: string, entry: Config['evals'][string]) {
  const {
    type,
    pred,
    pred_kw,
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
    pred_kw,
    params,
    prefix: prefix ?? `${name}/`,
    skipFirst: skip_first,
    batch_size,
    period: { log_steps, log_epochs, log_examples, log_percent },
    options: options as Record<string, unknown>,
  };
}

/** Parameters at a place of the train state, with the variables; those that it lacks are shared with `params`. */
function paramsAt(state: EvaluatedState, place: string): Params {
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
  container = run.container,
): readonly DueEvaluator[] {
  const predictFns = hooks.predict.call(stockPredictFns(run, loss), run);
  const find = predictFinder(predictFns);
  const places = hooks.params.call({ params: 'params' }, run);
  return Object.entries(run.config.evals).map(([name, entry]) => {
    const { type, pred, pred_kw, params, prefix, skipFirst, batch_size, period, options } = splitEvalConfig(
      name,
      entry,
    );
    const predict = find(name, pred, pred_kw);
    const place = places[params];
    if (place === undefined)
      throw errors.unknownParams({ evaluator: name, name: params, known: Object.keys(places) });
    const create = registry.create(container, 'evaluator', type, options, `evals.${name}`);
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
