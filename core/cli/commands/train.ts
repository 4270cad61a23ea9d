import fs from 'node:fs/promises';
import path from 'node:path';
import pc from 'picocolors';
import type { Config } from '../../config/schema';
import { ExitCode } from '../../errors';
import { createProgress, type Progress } from '../../progress';
import { provenanceOf } from '../../provenance';
import { shortPath } from '../../workspace/paths';
import type * as training from '../../train/trainer';
import type { CommandInput } from '../command';
import type { trainOptions } from '../options';
import { newWorkdir, openExperiment } from '../experiment';
import { openRuntimeOf } from '../runtime';
import { mark } from '../timing';
import type * as pinning from './pin';

type Input = CommandInput<typeof trainOptions>;

export async function train(input: Input): Promise<ExitCode> {
  const { pinned } = input.options;
  if (pinned === undefined) return trainHere(input);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few runs need it
  const { trainPinned } = require('./pin') as typeof pinning;
  return trainPinned(pinned, input, trainHere);
}

export async function trainHere({ options, overrides }: Input): Promise<ExitCode> {
  const experiment = await openExperiment('train', options.config, overrides);
  const { session, config, hooks, applied, name, unchanged } = experiment;
  const workdir = workdirOf(options.workdir, name);
  const progress = timed(createProgress());
  const runtime = await openRuntimeOf(experiment, options, progress.note.bind(progress));
  const keeps = workdir === undefined ? 'keeping nothing' : `in ${shortPath(workdir)}`;
  progress.note(`${name} on ${runtime.description}, ${keeps}`);

  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(ExitCode.preempted);
    progress.note(`${signal}: writing a checkpoint and stopping; once more to stop at once.`);
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
      provenance:
        workdir === undefined ? undefined : await provenanceOf(session, applied, runtime.description),
    });
    progress.finish({ metrics: result.metrics, workdir: workdir && shortPath(workdir) });
    if (result.status === 'preempted') return ExitCode.preempted;
    const reached = !unchanged || reachedHeader(config, result.metrics, (text) => progress.note(text));
    if (options.cleanup && workdir !== undefined) await fs.rm(workdir, { recursive: true, force: true });
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
    const ok = value !== undefined && value >= bound;
    const mark = ok ? pc.green('reached') : pc.red('missed');
    note(`${mark} ${name} >= ${bound} (the config's header): ${value ?? 'not measured'}`);
    return ok;
  });
  return reached.every(Boolean);
}
