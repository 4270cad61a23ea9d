import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ExitCode } from '../../errors';
import { chipOf } from '../../hardware';
import { createProgress } from '../../progress';
import type { Runtime } from '../../runtime';
import { checkpointErrors } from '../../checkpoint/store';
import type * as profiling from '../../train/profile';
import { shortPath } from '../../workspace/paths';
import type { CommandInput } from '../command';
import { openExperiment } from '../experiment';
import type { profileArguments, profileOptions } from '../options';
import { heading, print, printTable } from '../print';
import { openRuntimeOf } from '../runtime';
import { bytesText, secondsText, siText } from '../units';

export async function profile({
  args,
  options,
  overrides,
}: CommandInput<typeof profileOptions, typeof profileArguments>): Promise<ExitCode> {
  const experiment = await openExperiment('profile', args.config, overrides);
  const { session, config, hooks, name } = experiment;
  const progress = createProgress();
  const runtime = await openRuntimeOf(experiment, options, progress.note.bind(progress));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings the tensor library
    const { profileSteps } = require('../../train/profile') as typeof profiling;
    const { registry, container } = session;
    const setup = { config, hooks, registry, container, runtime, progress };
    const trace = options.workdir !== undefined;
    const found = await profileSteps({ ...setup, steps: options.steps ?? 10, trace });
    print(`${name} on ${runtime.description}, batch ${config.input.batch_size}`);
    showTimes(found);
    showWork(found, runtime);
    showMemory(found, runtime);
    if (options.workdir !== undefined) await writeTraces(path.resolve(options.workdir), found);
    return ExitCode.ok;
  } finally {
    progress.close();
    await runtime.dispose();
  }
}

function showTimes({ spans, program, steps, stepSeconds, inputSeconds, run }: profiling.Profile): void {
  const of = (phase: string) => spans.filter((span) => span.phase === phase).map(({ ms }) => ms / 1000);
  const once = [...new Set(spans.map(({ phase }) => phase))].filter((phase) => of(phase).length === 1);
  heading('Once');
  for (const phase of once) print(`  ${phase.padEnd(20)} ${secondsText(of(phase)[0] as number)}`);
  if (program) {
    const { traceSeconds, compileSeconds, cached } = program;
    const how = cached ? 'from the cache on disk' : 'compiled';
    print(`    of which ${secondsText(traceSeconds)} traced, ${secondsText(compileSeconds)} ${how}`);
  }
  heading(`A step, of ${steps} one at a time`);
  const phases = [...new Set(spans.map(({ phase }) => phase))].filter((phase) => !once.includes(phase));
  const rows = phases.map((phase) => {
    const times = of(phase).sort((a, b) => a - b);
    return [phase, times[Math.floor(times.length / 2)] as number, times[times.length - 1] as number] as const;
  });
  const sum = rows.reduce((total, [, median]) => total + median, 0);
  printTable(
    ['phase', 'median', 'part', 'longest'],
    rows.map(([phase, median, longest]) => [
      `  ${phase}`,
      secondsText(median),
      `${((100 * median) / sum).toFixed(0)} %`,
      `longest ${secondsText(longest)}`,
    ]),
  );
  heading('A step, as in training');
  const rate = run.length.batch_size / stepSeconds;
  print(`  ${secondsText(stepSeconds)}, ${siText(rate)} examples/s`);
  print(`  of which the loop waits ${secondsText(inputSeconds)} for input`);
}

function showWork({ program, stepSeconds }: profiling.Profile, { deviceKind, mesh }: Runtime): void {
  if (program?.flops === undefined) return;
  const achieved = program.flops / stepSeconds;
  heading('Work');
  print(
    `  ${siText(program.flops, 'FLOP')} a step in matrix products and convolutions, ${siText(achieved, 'FLOP/s')}`,
  );
  const chip = chipOf(deviceKind);
  if (chip) {
    const mfu = achieved / mesh.size / chip.peakFlops;
    print(`  MFU ${(100 * mfu).toFixed(1)} % of ${siText(chip.peakFlops, 'FLOP/s')} on each ${deviceKind}`);
  } else print(`  MFU unknown: no peak is known for "${deviceKind}"`);
}

function showMemory({ state, program }: profiling.Profile, runtime: Runtime): void {
  heading('Memory of one device');
  const rows = state.map(({ group, params, optimizer }) => [
    `  ${group}`,
    bytesText(params),
    bytesText(optimizer),
  ]);
  printTable(['state', 'parameters', 'optimizer'], [['  state of', 'parameters', 'optimizer'], ...rows]);
  if (program?.memory) {
    const { temporaries, peak } = program.memory;
    print(`  the step: ${bytesText(temporaries)} of temporaries, ${bytesText(peak)} at most`);
  }
  const [{ inUse, peak, limit } = {}] = runtime.memory();
  if (inUse !== undefined) {
    const most = peak === undefined ? '' : `, at most ${bytesText(peak)}`;
    print(`  in use now: ${bytesText(inUse)}${most}${limit === undefined ? '' : ` of ${bytesText(limit)}`}`);
  }
}

async function writeTraces(workdir: string, { spans, devices }: profiling.Profile): Promise<void> {
  const host = path.join(workdir, 'trace.json');
  await writeFile(host, JSON.stringify(traceOf(spans)));
  print(`\n${shortPath(host)}: phases of the host, for ui.perfetto.dev`);
  if (devices === undefined) return;
  if ('reason' in devices) return print(`No trace of the devices: ${devices.reason}.`);
  const time = new Date().toISOString().slice(0, 19).replace(/\D/g, '_');
  const file = path.join(workdir, 'plugins/profile', time, `${os.hostname()}.xplane.pb`);
  await writeFile(file, devices.xspace);
  print(`${shortPath(file)}: the devices, for \`tensorboard --logdir ${shortPath(workdir)}\` or xprof`);
}

/** Chrome's trace events, which Perfetto reads. Waiting for the device has a track of its own. */
function traceOf(spans: readonly profiling.Span[]): object {
  const tracks = ['host', 'waits for the device'];
  const names = tracks.map((name, tid) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } }));
  const events = spans.map(({ phase, start, ms }) => ({
    name: phase,
    ph: 'X',
    ts: start * 1000,
    dur: ms * 1000,
    pid: 1,
    tid: phase === 'device' ? 1 : 0,
  }));
  return { traceEvents: [...names, ...events], displayTimeUnit: 'ms' };
}

async function writeFile(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, content);
  } catch (cause) {
    throw checkpointErrors.write({ path: file, cause: cause as NodeJS.ErrnoException });
  }
}
