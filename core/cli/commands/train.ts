import fs from 'node:fs/promises';
import path from 'node:path';
import pc from 'picocolors';
import type { Config } from '../../config/schema';
import { catalogue, ExitCode } from '../../errors';
import type { Processes } from '../../processes/group';
import { createProgress, type Progress, silentProgress } from '../../progress';
import { provenanceOf } from '../../provenance';
import { shortPath } from '../../workspace/paths';
import type * as training from '../../train/trainer';
import type { CommandInput } from '../command';
import type { trainOptions } from '../options';
import { type Experiment, newWorkdir, openExperiment } from '../experiment';
import { together } from '../processes';
import { openRuntimeOf } from '../runtime';
import { mark } from '../timing';
import type * as pinning from './pin';

type Input = CommandInput<typeof trainOptions>;

const errors = catalogue('train', {
  noWorkdir: () => ({
    what: 'Several processes need one workdir, and none is named.',
    fix: '--workdir DIR, a folder that all of them see; or --no-workdir.',
  }),
});

export async function train(input: Input): Promise<ExitCode> {
  const { pinned } = input.options;
  if (pinned === undefined) return trainHere(input);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few runs need it
  const { trainPinned } = require('./pin') as typeof pinning;
  return trainPinned(pinned, input, trainHere);
}

export async function trainHere({ options, overrides }: Input): Promise<ExitCode> {
  const experiment = await openExperiment('train', options.config, overrides);
  return together(options, (processes) => trainTogether(processes, experiment, options));
}

async function trainTogether(
  processes: Processes,
  experiment: Experiment,
  options: Input['options'],
): Promise<ExitCode> {
  const { session, config, hooks, applied, name, unchanged } = experiment;
  const isFirst = processes.index === 0;
  if (processes.count > 1 && options.workdir === undefined) throw errors.noWorkdir();
  const workdir = workdirOf(options.workdir, name);
  const progress = isFirst ? timed(createProgress()) : silentProgress;
  const asked = { ...options, processes };
  const runtime = await openRuntimeOf(experiment, asked, progress.note.bind(progress));
  const keeps = workdir === undefined ? 'keeping nothing' : `in ${shortPath(workdir)}`;
  progress.note(`${name} on ${runtime.description}, ${keeps}`);

  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(ExitCode.preempted);
    const first = workdir === undefined ? 'stopping after this step' : 'writing a checkpoint and stopping';
    progress.note(`${signal}: ${first}; once more to stop at once.`);
    stop.abort();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    // Loaded here: the trainer brings the tensor library, which an error in the config needn't wait for.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const trainer = require('../../train/trainer') as typeof training;
    const { registry, container } = session;
    mark('trainer loaded');
    const result = await trainer.train({
      config,
      hooks,
      registry,
      container,
      runtime,
      workdir,
      progress,
      stop: stop.signal,
      processes,
      provenance:
        workdir === undefined ? undefined : await provenanceOf(session, applied, runtime.description),
    });
    progress.finish({ metrics: result.metrics, workdir: workdir && shortPath(workdir) });
    if (result.status === 'preempted') return ExitCode.preempted;
    const reached = !unchanged || reachedHeader(config, result.metrics, (text) => progress.note(text));
    if (options.cleanup && isFirst && workdir !== undefined)
      await fs.rm(workdir, { recursive: true, force: true });
    return reached ? ExitCode.ok : ExitCode.failure;
  } finally {
    progress.close();
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    await runtime.dispose();
  }
}

/** The time to the first step is what a person waits for. */
function timed(progress: Progress): Progress {
  const step: Progress['step'] = (report) => {
    mark('first step');
    timed.step = progress.step.bind(progress);
    timed.step(report);
  };
  const timed = Object.assign(Object.create(progress) as Progress, { step });
  return timed;
}

/** The folder of the run: a new one unless it is named, none at all for `--no-workdir`. */
function workdirOf(option: string | false | undefined, name: string): string | undefined {
  if (option === false) return undefined;
  if (option !== undefined) return path.resolve(option);
  return newWorkdir(name);
}

/** Whether the run came to the numbers in the config's header, said in a line each. */
function reachedHeader(
  { header }: Config,
  metrics: Readonly<Record<string, number>>,
  note: (text: string) => void,
): boolean {
  const expected = Object.entries(header?.expect ?? {});
  const reached = expected.map(([name, bound]) => {
    const value = metrics[name];
    const [sign, limit] = typeof bound === 'number' ? ['>=', bound] : ['<=', bound.max];
    const ok = value !== undefined && (sign === '>=' ? value >= limit : value <= limit);
    const mark = ok ? pc.green('reached') : pc.red('missed');
    note(`${mark} ${name} ${sign} ${limit} (the config's header): ${value ?? 'not measured'}`);
    return ok;
  });
  return reached.every(Boolean);
}
