// The evaluators of a config on parameters that are there already.

import { openCheckpoint, selectParams } from '../checkpoint/load-params';
import { catalogue } from '../errors';
import { alone, type Processes } from '../processes/group';
import type * as tf from '../tensor';
import { nest } from '../tree';
import { type EvaluatedState, evaluatorsOf } from './evals';
import { type SetupOptions, setUp } from './setup';
import { readToDevice, stateSpecs } from './state';
import { variablesPlace } from './variables';

const errors = catalogue('eval', {
  noParams: (v: { checkpoint: string; names: readonly string[] }) => ({
    what: `The checkpoint ${v.checkpoint} has no ${v.names.slice(0, 3).join(', ')}${v.names.length > 3 ? ', ...' : ''}.`,
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
  /** Those that evaluate together; all with the same config and checkpoint. */
  readonly processes?: Processes;
}

/** Runs every evaluator once. */
export async function evaluate(
  options: EvaluateOptions,
): Promise<{ readonly step: number; readonly metrics: Readonly<Record<string, number>> }> {
  const { hooks, registry, checkpoint: location, processes = alone } = options;
  await processes.agree('the config', JSON.stringify(options.config));
  const { run, input, loss, shardings, initialParams } = await setUp(options);
  const evaluators = evaluatorsOf(hooks, run, registry, loss);
  if (evaluators.length === 0) throw errors.none();
  try {
    let state: EvaluatedState;
    let step = 0;
    if (location === undefined) {
      if (!run.config.model_init)
        run.note('Neither a checkpoint nor model_init: these are initial parameters.');
      state = { params: await initialParams(), extra: {} };
    } else {
      const archive = await openCheckpoint(location, run.note, processes);
      try {
        await processes.agree('the checkpoint', `step ${archive.step ?? 'unknown'}`);
        const places = [...new Set(['params', variablesPlace, ...evaluators.map(({ place }) => place)])];
        const specs = stateSpecs(
          run,
          hooks.state.call(() => ({}), run),
          shardings,
        ).filter(([name]) => places.some((place) => name.startsWith(`${place}/`)));
        // A file may have the parameters alone.
        const sources = new Map([
          ...selectParams(archive).map(([name, source]) => [`params/${name}`, source] as const),
          ...archive.names.map((name) => [name, name] as const),
        ]);
        const missing = specs.map(([name]) => name).filter((name) => !sources.has(name));
        if (missing.length > 0) throw errors.noParams({ checkpoint: archive.path, names: missing });
        const named: [string, tf.Tensor][] = [];
        for (const [name, { sharding }] of specs)
          named.push([name, await readToDevice(run.runtime, archive, sources.get(name) as string, sharding)]);
        state = { extra: {}, ...nest(named) } as unknown as EvaluatedState;
        step = archive.step ?? 0;
        run.note(`Parameters of step ${step} (${archive.path}).`);
      } finally {
        await archive.close();
      }
    }
    const metrics: Record<string, number> = {};
    for (const evaluator of evaluators) {
      for await (const [name, value] of evaluator.run(state, step)) metrics[name] = value;
    }
    await hooks.evaluate.promise(metrics, step, run);
    return { step, metrics };
  } finally {
    await input.close();
  }
}
