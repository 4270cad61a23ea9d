import fs from 'node:fs';
import path from 'node:path';
import { catalogue, ExitCode } from '../../errors';
import type { Processes } from '../../processes/group';
import { createProgress, silentProgress } from '../../progress';
import type * as evaluation from '../../train/evaluate';
import type { CommandInput } from '../command';
import type { evalOptions } from '../options';
import { type Experiment, openExperiment } from '../experiment';
import { together } from '../processes';
import { openRuntimeOf } from '../runtime';

const errors = catalogue('cli', {
  notARun: (v: { workdir: string }) => ({
    what: `${v.workdir} has no config.json: it isn't the workdir of a run.`,
    fix: 'give the workdir that `bv train` printed, or a config with --config.',
  }),
});

type Input = CommandInput<typeof evalOptions>;

export async function evaluate({ options, overrides }: Input): Promise<ExitCode> {
  const { workdir, checkpoint = workdir } = options;
  // A params file is what a run would initialise from; anything else is a checkpoint of ours.
  const isFile = checkpoint !== undefined && /\.(npz|safetensors)(:.*)?$/.test(checkpoint);
  const initialise = isFile ? [{ path: 'model_init', value: withFolder(checkpoint) }] : [];
  const spec = options.config ?? (workdir === undefined ? undefined : configOf(workdir));
  const experiment = await openExperiment('eval', spec, [...overrides, ...initialise]);
  const from = { workdir, checkpoint: isFile ? undefined : checkpoint };
  return together(options, (processes) => evaluateTogether(processes, experiment, { ...options, ...from }));
}

/** A file of this folder as `model_init` wants it. */
const withFolder = (file: string) => (/^[^:]*\//.test(file) ? file : `./${file}`);

async function evaluateTogether(
  processes: Processes,
  experiment: Experiment,
  options: Input['options'],
): Promise<ExitCode> {
  const { session, config, hooks, name } = experiment;
  const progress = processes.index === 0 ? createProgress() : silentProgress;
  const runtime = await openRuntimeOf(experiment, { ...options, processes }, progress.note.bind(progress));
  progress.note(`${name} on ${runtime.description}`);
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- see `train`
    const trainer = require('../../train/evaluate') as typeof evaluation;
    const { registry, container } = session;
    const { workdir, checkpoint } = options;
    const { metrics } = await trainer.evaluate({
      config,
      hooks,
      registry,
      container,
      runtime,
      workdir,
      progress,
      checkpoint,
      processes,
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
