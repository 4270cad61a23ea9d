import fs from 'node:fs';
import path from 'node:path';
import { catalogue, ExitCode } from '../../errors';
import { createProgress } from '../../progress';
import type * as evaluation from '../../train/evaluate';
import type { CommandInput } from '../command';
import type { evalOptions } from '../options';
import { openExperiment } from '../experiment';
import { openRuntimeOf } from '../runtime';

const errors = catalogue('cli', {
  notARun: (v: { workdir: string }) => ({
    what: `${v.workdir} has no config.json: it isn't the workdir of a run.`,
    fix: 'give the workdir that `bv train` printed, or a config with --config.',
  }),
});

export async function evaluate({ options, overrides }: CommandInput<typeof evalOptions>): Promise<ExitCode> {
  const { workdir, checkpoint = workdir } = options;
  // A params file is what a run would initialise from; anything else is a checkpoint of ours.
  const isFile = checkpoint !== undefined && /\.npz(:.*)?$/.test(checkpoint);
  const initialise = isFile ? [{ path: 'model_init', value: checkpoint }] : [];
  const spec = options.config ?? (workdir === undefined ? undefined : configOf(workdir));
  const experiment = await openExperiment('eval', spec, [...overrides, ...initialise]);
  const { session, config, hooks, name } = experiment;
  const progress = createProgress();
  const runtime = await openRuntimeOf(experiment, options, progress.note.bind(progress));
  progress.note(`${name} on ${runtime.description}`);
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- see `train`
    const trainer = require('../../train/evaluate') as typeof evaluation;
    const { registry, container } = session;
    const { metrics } = await trainer.evaluate({
      config,
      hooks,
      registry,
      container,
      runtime,
      workdir,
      progress,
      checkpoint: isFile ? undefined : checkpoint,
    });
    progress.finish({ metrics });
    return ExitCode.ok;
  } finally {
    progress.close();
    await runtime.dispose();
  }
}

/** The config that a run wrote. */
function configOf(workdir: string): string {
  const file = path.join(workdir, 'config.json');
  if (!fs.existsSync(file)) throw errors.notARun({ workdir });
  return file;
}
