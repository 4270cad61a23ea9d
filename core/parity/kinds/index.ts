// How cases of each kind are run and compared. What a plugin registers under `parity` goes before the runners here.

import type { ParityRunner, RecordedCase } from '../case';
import { compareOutputs, type Comparison } from '../compare';
import { compareDistributions } from '../distribution';
import { parseRunner } from './call-string';
import { compareEvaluator } from './evaluator';
import { compareInit, initExactRunner, initRunner } from './init';
import { lossRunner } from './loss';
import { mergeRunner } from './merge';
import { modelRunner } from './model';
import { masksRunner, optimizerRunner } from './optimizer';
import { comparePp, ppRunner } from './pp';
import { itstimeRunner, scheduleRunner, stepsRunner } from './schedule';
import { treeRunners } from './trees';

interface Kind {
  /** For any name; evaluators have none. */
  readonly run?: ParityRunner;
  /** For functions of the core by their names. */
  readonly named?: Readonly<Record<string, ParityRunner>>;
  readonly compare?: Comparison;
}

export const kinds: Readonly<Record<string, Kind>> = {
  model: { run: modelRunner(), named: { 'common:merge_params': mergeRunner } },
  init: { run: initRunner, compare: compareInit },
  init_exact: { run: initExactRunner },
  loss: { run: lossRunner },
  schedule: {
    named: { create_learning_rate_schedule: scheduleRunner, itstime: itstimeRunner, steps: stepsRunner },
  },
  optimizer: { named: { 'optax.make': optimizerRunner, make_mask_trees: masksRunner } },
  pp: { run: ppRunner, compare: comparePp, named: { 'registry:parse_name': parseRunner } },
  evaluator: { compare: compareEvaluator, named: treeRunners },
};

export const comparisonFor = ({ kind, distribution, name }: RecordedCase): Comparison =>
  distribution || name.endsWith(':distribution')
    ? compareDistributions
    : (kinds[kind]?.compare ?? compareOutputs);
