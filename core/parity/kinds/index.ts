// How cases of each kind are run and compared. What a plugin registers under `parity` goes before the runners here.

import type { ParityRunner, RecordedCase } from '../case';
import { compareOutputs, type Comparison } from '../compare';
import { compareDistributions } from '../distribution';
import { buildRunner, parseRunner } from './call-string';
import { compareEvaluator } from './evaluator';
import { compareInit, initExactRunner, initRunner } from './init';
import { loadRunner, pathRunner } from './load';
import { lossRunner } from './loss';
import { mergeRunner } from './merge';
import { modelRunner } from './model';
import { errorsRunner, masksRunner, optimizerRunner, stateRunner } from './optimizer';
import { comparePp, ppRunner } from './pp';
import { itstimeRunner, scheduleRunner, stepsErrorsRunner, stepsRunner } from './schedule';
import { treeRunners } from './trees';

interface Kind {
  /** For any name; evaluators have none. */
  readonly run?: ParityRunner;
  /** For functions of the core by their names. */
  readonly named?: Readonly<Record<string, ParityRunner>>;
  /** For functions that every implementation has, by what comes after the colon. */
  readonly functions?: Readonly<Record<string, ParityRunner>>;
  readonly compare?: Comparison;
}

export const kinds: Readonly<Record<string, Kind>> = {
  model: {
    run: modelRunner(),
    named: { 'common:merge_params': mergeRunner, 'utils:load_params:path': pathRunner },
    functions: { load: loadRunner },
  },
  init: { run: initRunner, compare: compareInit },
  init_exact: { run: initExactRunner },
  loss: { run: lossRunner },
  schedule: {
    named: {
      create_learning_rate_schedule: scheduleRunner,
      itstime: itstimeRunner,
      steps: stepsRunner,
      'steps:errors': stepsErrorsRunner,
    },
  },
  optimizer: {
    named: {
      'optax.make': optimizerRunner,
      'optax.make:state': stateRunner,
      'optax.make:errors': errorsRunner,
      make_mask_trees: masksRunner,
    },
  },
  pp: {
    run: ppRunner,
    compare: comparePp,
    named: { 'registry:parse_name': parseRunner, 'builder:get_preprocess_fn': buildRunner },
  },
  evaluator: { compare: compareEvaluator, named: treeRunners },
};

export const comparisonFor = ({ kind, distribution, name }: RecordedCase): Comparison =>
  distribution || name.endsWith(':distribution')
    ? compareDistributions
    : (kinds[kind]?.compare ?? compareOutputs);
