// The evaluators of a config on parameters that are there already.

import { findCheckpoint } from '../checkpoint/store';
import type { HostArray } from '../array';
import { catalogue } from '../errors';
import type { Params } from '../extensions';
import { type TensorSpec } from '../runtime';
import { namedLeaves, nest } from '../tree';
import { evaluatorsOf, stockPredictFns } from './evals';
import { type SetupOptions, setUp } from './setup';
import { paramsToDevice } from './state';

const errors = catalogue('eval', {
  noParams: (v: { checkpoint: string; names: readonly string[] }) => ({
    what: `The checkpoint ${v.checkpoint} has no parameter ${v.names.slice(0, 3).join(', ')}${v.names.length > 3 ? ', ...' : ''}.`,
    fix: 'evaluate it with the config of the run that wrote it.',
  }),
  none: () => ({
    what: 'The config has no evaluators.',
    fix: 'add some under "evals", or evaluate with another config.',
  }),
});

export interface EvaluateOptions extends SetupOptions {
  /** A checkpoint, or a folder of them; otherwise the config's `model_init` or its initial parameters. */
  readonly checkpoint?: string;
}

/** Runs every evaluator once. */
export async function evaluate(
  options: EvaluateOptions,
): Promise<{ readonly step: number; readonly metrics: Readonly<Record<string, number>> }> {
  const { hooks, registry, checkpoint: location } = options;
  const { run, input, loss, shardings, initialParams } = await setUp(options);
  const evaluators = evaluatorsOf(run, registry, hooks.predict.call(stockPredictFns(run, loss), run));
  if (evaluators.length === 0) throw errors.none();
  try {
    let params: Params;
    let step = 0;
    if (location === undefined) params = await initialParams();
    else {
      const checkpoint = await findCheckpoint(location, run.note);
      const arrays = new Map(checkpoint.arrays);
      const names = namedLeaves<TensorSpec>(run.params).map(([name]) => name);
      const missing = names.filter((name) => !arrays.has(`params/${name}`));
      if (missing.length > 0) throw errors.noParams({ checkpoint: checkpoint.path, names: missing });
      const named = names.map((name) => [name, arrays.get(`params/${name}`) as HostArray] as const);
      params = paramsToDevice(run.runtime, nest(named), shardings);
      step = checkpoint.step;
      run.note(`Parameters of step ${step} (${checkpoint.path}).`);
    }
    const metrics: Record<string, number> = {};
    for (const evaluator of evaluators) {
      for await (const [name, value] of evaluator.run(params, step)) metrics[name] = value;
    }
    await hooks.evaluate.promise(metrics, step, run);
    return { step, metrics };
  } finally {
    await input.close();
  }
}
