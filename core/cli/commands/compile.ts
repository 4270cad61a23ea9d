import os from 'node:os';
import type { Config } from '../../config/schema';
import { catalogue, ExitCode } from '../../errors';
import { chipOf } from '../../hardware';
import { silentProgress } from '../../progress';
import { type Collective, DeviceMemoryError, type ProgramMemory, type Runtime } from '../../runtime';
import type * as ahead from '../../train/ahead';
import { type GroupMemory, memoryByGroup } from '../../train/memory';
import type { CommandInput } from '../command';
import { type Experiment, openExperiment } from '../experiment';
import { findBatch } from '../find-batch';
import type { compileArguments, compileOptions } from '../options';
import { heading, print, printTable } from '../print';
import { openRuntimeOf } from '../runtime';
import { bar, bytesText, secondsText, siText } from '../units';

/** What is printed of a step; with `--json` as it is. Bytes and FLOPs; `device` is one chip, or one core of TPU v3. */
interface Report {
  readonly config: string;
  readonly topology: string;
  readonly devices: number;
  readonly deviceKind: string;
  readonly mesh: Runtime['mesh']['axes'];
  readonly batch_size: number;
  readonly parameters: number;
  readonly fits: boolean;
  /** Of one device, and of what the limit is known. */
  readonly memory?: ProgramMemory;
  readonly memoryLimit?: number;
  /** What the compiler says is needed, where it refuses: at least, since it may have counted temporaries alone. */
  readonly memoryNeeded?: number;
  /** Its words. */
  readonly refusal?: string;
  readonly state?: readonly GroupMemory[];
  readonly flops?: number;
  readonly deviceFlops?: number;
  readonly peakFlops?: number;
  readonly stepSecondsBound?: number;
  readonly mfu: number;
  readonly collectives?: readonly Collective[];
  readonly traceSeconds?: number;
  readonly compileSeconds?: number;
}

const errors = catalogue('compile', {
  mfu: (v: { mfu: string }) => ({
    what: `--mfu is "${v.mfu}", expected a fraction between 0 and 1.`,
    fix: '--mfu 0.4',
  }),
  eager: (v: { runtime: string }) => ({
    what: `The ${v.runtime} runtime compiles nothing.`,
    fix: 'leave out "runtime" from the config and the workspace, or set it to xla.',
  }),
});

export async function compile({
  args,
  options,
  overrides,
}: CommandInput<typeof compileOptions, typeof compileArguments>): Promise<ExitCode> {
  const mfu = Number(options.mfu ?? 0.4);
  if (!(mfu > 0 && mfu <= 1)) throw errors.mfu({ mfu: String(options.mfu) });
  const experiment = await openExperiment('compile', args.config, overrides);
  const topology = options.topology ?? 'cpu';
  const { config } = experiment;
  const asked = { runtime: 'xla', topology, devices: options.devices };
  const runtime = await openRuntimeOf(experiment, asked, (text) => process.stderr.write(`${text}\n`));
  try {
    if (!runtime.compiles) throw errors.eager({ runtime: runtime.name });
    const tryBatch = (batch_size: number) => reportOf(experiment, runtime, { topology, mfu, batch_size });
    const { batch_size } = config.input;
    if (options['find-batch']) {
      const found = await findBatch(batch_size, runtime.mesh.size, async (size) => {
        const report = await tryBatch(size);
        process.stderr.write(`batch ${size}: ${memoryLine(report)}\n`);
        return report;
      });
      if (options.json) print(JSON.stringify(found, null, 2));
      else show(found);
      return found.fits ? ExitCode.ok : ExitCode.failure;
    }
    const report = await tryBatch(batch_size);
    if (options.json) print(JSON.stringify(report, null, 2));
    else show(report);
    return report.fits ? ExitCode.ok : ExitCode.failure;
  } finally {
    await runtime.dispose();
  }
}

async function reportOf(
  { session, config, hooks, name }: Experiment,
  runtime: Runtime,
  { topology, mfu, batch_size }: { topology: string; mfu: number; batch_size: number },
): Promise<Report> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings the tensor library
  const { compileStep } = require('../../train/ahead') as typeof ahead;
  const { registry, container } = session;
  const { mesh, deviceKind } = runtime;
  const chip = chipOf(deviceKind);
  // On a CPU the devices are virtual, and share the machine's memory.
  const memoryLimit =
    runtime.memory()[0]?.limit ??
    chip?.memory ??
    (runtime.platform === 'cpu' ? os.totalmem() / mesh.size : undefined);
  const about = { config: name, topology, devices: mesh.size, deviceKind, mesh: mesh.axes, batch_size, mfu };
  const limits = { memoryLimit, peakFlops: chip?.peakFlops };
  const sized: Config = { ...config, input: { ...config.input, batch_size, workers: 0 } };
  try {
    const { program, state, parameters } = await compileStep({
      config: sized,
      hooks,
      registry,
      container,
      runtime,
      progress: silentProgress,
    });
    const { memory, flops, deviceFlops, collectives, traceSeconds, compileSeconds } = program;
    const fits = memory === undefined || memoryLimit === undefined || memory.peak <= memoryLimit;
    const groups = memoryByGroup(state, mesh);
    const stepSecondsBound =
      flops !== undefined && chip ? flops / mesh.size / (chip.peakFlops * mfu) : undefined;
    return {
      ...about,
      ...limits,
      parameters,
      fits,
      memory,
      state: groups,
      flops,
      deviceFlops,
      stepSecondsBound,
      collectives,
      traceSeconds,
      compileSeconds,
    };
  } catch (error) {
    if (!(error instanceof DeviceMemoryError)) throw error;
    const { needed, limit, cause } = error;
    return {
      ...about,
      ...limits,
      parameters: 0,
      fits: false,
      memoryLimit: limit ?? memoryLimit,
      memoryNeeded: needed,
      refusal: (cause as Error).message.split('\n')[0],
    };
  }
}

function memoryLine({ memory, memoryNeeded, memoryLimit, fits }: Report): string {
  const used = memory?.peak ?? memoryNeeded;
  const of = memoryLimit === undefined ? '' : ` of ${bytesText(memoryLimit)}`;
  const atLeast = memory === undefined ? 'at least ' : '';
  return `${fits ? 'fits' : "doesn't fit"}${used === undefined ? '' : `, ${atLeast}${bytesText(used)}${of}`}`;
}

function show(report: Report): void {
  const { devices, memory, memoryLimit, batch_size } = report;
  const mesh = report.mesh.map(([name, size]) => `${name}=${size}`).join(', ');
  print(
    `Train step of ${report.config} for ${report.topology}: ${devices} x ${report.deviceKind}, mesh ${mesh}`,
  );
  const parameters = report.parameters > 0 ? `${siText(report.parameters)} parameters, ` : '';
  print(`${parameters}batch ${batch_size} (${batch_size / devices} on each device)`);

  if (report.refusal === undefined) showProgram(report);
  else print(`\nThe compiler refuses it: ${report.refusal}`);
  const used = memory?.peak ?? report.memoryNeeded;
  const meter = used !== undefined && memoryLimit !== undefined ? `${bar(used / memoryLimit)} ` : '';
  print(`\n${meter}${memoryLine(report)}`);
  if (!report.fits) print(fixes);
}

const fixes =
  'Try: a smaller batch (--find-batch), a sharding_strategy that splits the state, model.scan with a remat_policy, or more devices.';

function showProgram(report: Report): void {
  const { devices, memory, flops, deviceFlops, collectives, batch_size } = report;
  heading('Memory of one device');
  if (memory) {
    const { arguments: args, outputs, aliased, temporaries, code, peak } = memory;
    const rows = { arguments: args, outputs, 'outputs in place of arguments': -aliased, temporaries, code };
    for (const [what, bytes] of Object.entries(rows))
      print(`  ${what.padEnd(30)} ${bytes < 0 ? '-' : ' '}${bytesText(Math.abs(bytes))}`);
    print(`  ${'peak'.padEnd(30)}  ${bytesText(peak)}`);
  }
  if (report.state) {
    print();
    const rows = report.state.map(({ group, params, optimizer }) => [
      `  ${group}`,
      bytesText(params),
      bytesText(optimizer),
    ]);
    printTable(['state', 'parameters', 'optimizer'], [['  state of', 'parameters', 'optimizer'], ...rows]);
  }

  if (flops !== undefined) {
    heading('FLOPs of a step (matrix products and convolutions, as traced)');
    print(`  all devices  ${siText(flops, 'FLOP')}`);
    print(`  one device   ${siText(flops / devices, 'FLOP')}`);
    if (deviceFlops !== undefined)
      print(`  one device   ${siText(deviceFlops, 'FLOP')} by the compiler's count, loops once`);
    if (report.stepSecondsBound !== undefined) {
      const { peakFlops = 0, mfu, stepSecondsBound } = report;
      print(
        `  not measured: at ${(100 * mfu).toFixed(0)} % of ${siText(peakFlops, 'FLOP/s')} a step takes ` +
          `${secondsText(stepSecondsBound)}, ${siText(batch_size / stepSecondsBound)} examples/s`,
      );
    }
  }

  heading('Collectives of one device in a step (read from the optimized HLO)');
  if (collectives === undefined) print('  unknown: the compiled program can’t be read');
  else if (collectives.length === 0) print('  none');
  else
    printTable(
      ['kind', 'times', 'bytes', 'devices'],
      collectives.map(({ kind, count, bytes, devices: group }) => [
        `  ${kind}`,
        `${count} x`,
        bytesText(bytes),
        group === undefined ? '' : `over ${group}`,
      ]),
    );

  if (report.compileSeconds !== undefined && report.traceSeconds !== undefined)
    print(
      `\nTraced in ${secondsText(report.traceSeconds)}, compiled in ${secondsText(report.compileSeconds)}.`,
    );
}
