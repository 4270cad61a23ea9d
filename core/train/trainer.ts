// A training run from a checked config to its last checkpoint. Reads top to bottom; each section is where one or
// more of the hooks are called.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { describeErrno } from '../checkpoint/files';
import { CheckpointStore, findCheckpoint, type Saved } from '../checkpoint/store';
import { differences } from '../config/differences';
import { catalogue, ExitCode } from '../errors';
import type { Params } from '../extensions';
import type { TrainState } from '../hooks';
import { alone, type Processes } from '../processes/group';
import { type Provenance, summaryOf } from '../provenance';
import * as tf from '../tensor';
import { BrokenOff, breakable } from './break-off';
import { Chrono, type ChronoTotals } from './chrono';
import { type DueEvaluator, evaluatorsOf } from './evals';
import { StepLog } from './log';
import { type Metrics, metricsAt, MetricsWriter } from './metrics';
import { configFile, type HostBatch, provenanceFile, type Run, tokens } from './run';
import { type SetupOptions, setUp } from './setup';
import { makeState, restoreState, stateParts, stateSpecs, stateToHost } from './state';
import { buildStep, jitStep } from './step';
import { itstime, stepsOf } from './steps';

export interface TrainOptions extends SetupOptions {
  /** Aborting it makes the run write a checkpoint after the current step, break off an evaluation, and stop. */
  readonly stop?: AbortSignal;
  /** What the run is made with: goes into the workdir and into every checkpoint. */
  readonly provenance?: Provenance;
  /** Those that run this together; all with the same config and workdir. */
  readonly processes?: Processes;
}

export interface TrainResult {
  readonly status: 'done' | 'preempted';
  readonly step: number;
  /** The newest value of every metric. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Params;
}

const errors = catalogue('train', {
  workdir: (v: { workdir: string; cause: NodeJS.ErrnoException }) => ({
    what: `Can't use the workdir ${v.workdir}: ${describeErrno(v.cause)}.`,
    fix: 'give a folder that you may write to with --workdir.',
    exitCode: ExitCode.storage,
  }),
});

/** How many steps the host may run ahead of the device. */
export const maxInFlight = 2;

/** Without a workdir there are no metrics file and no checkpoints. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { hooks, registry, runtime, workdir, progress, stop, processes = alone } = options;
  await processes.agree('the config', JSON.stringify(options.config));
  await processes.agree('the workdir', workdir === undefined ? 'none' : 'one');
  const isFirst = processes.index === 0;
  if (workdir !== undefined && isFirst) await openWorkdir(workdir);
  const { run, input, loss, shardings, loopKey, batchToDevice, initialParams } = await setUp(options);
  const { config, length } = run;
  const { total_steps, batch_size } = length;

  // ---- State: resumed, loaded or made ------------------------------------------------------------------------------
  const extraFn = hooks.state.call(() => ({}), run);
  const store =
    workdir === undefined
      ? undefined
      : new CheckpointStore(path.join(workdir, 'checkpoints'), run.note, processes);
  const own = await store?.latest();
  const checkpoint =
    own ?? (config.resume ? await findCheckpoint(config.resume, run.note, processes) : undefined);
  await processes.agree('the checkpoint to go on from', checkpoint ? `step ${checkpoint.step}` : 'none');
  let state: TrainState;
  if (checkpoint) {
    try {
      state = await restoreState(runtime, stateSpecs(run, extraFn, shardings), checkpoint);
    } finally {
      await checkpoint.close();
    }
    run.note(`Resumed from step ${checkpoint.step} (${checkpoint.path}).`);
    const changed = own ? differences(own.meta.config, config) : [];
    if (changed.length > 0) run.note(`The config has changed since: ${changed.join(', ')}.`);
  } else {
    state = makeState(run, await initialParams(), extraFn, shardings);
  }
  // Not before: a config that doesn't fit what is in the workdir must not replace the one that does.
  if (workdir !== undefined && isFirst) await describeRun(workdir, options);
  const first_step = checkpoint?.step ?? 0;
  const chrono = new Chrono(
    { ...length, devices: runtime.mesh.size, platform: runtime.platform, memory: () => runtime.memory() },
    first_step,
    checkpoint?.meta.chrono as ChronoTotals | undefined,
  );
  if (checkpoint) await hooks.restore.promise(first_step, run);

  // ---- Step and evaluators -----------------------------------------------------------------------------------------
  // Asked before each step and each batch of an evaluation: as often in all processes.
  let asked = 0;
  const stops = () => processes.stopsAfter(asked++, stop?.aborted === true);
  const ofEvaluators = run.container.child();
  ofEvaluators.provide(tokens.input, breakable(run.container.get(tokens.input), stops));
  const program = jitStep(runtime, buildStep(hooks, run, loss));
  const evaluators = evaluatorsOf(hooks, run, registry, loss, ofEvaluators);
  const dueAt = (step: number): readonly DueEvaluator[] => {
    if (step === 0) return evaluators.filter(({ skipFirst }) => !skipFirst);
    return evaluators.filter(
      ({ every }) => every !== undefined && itstime(step, every, total_steps, { first: false }),
    );
  };
  const dueFirst = first_step === total_steps ? evaluators : own || first_step === 0 ? dueAt(first_step) : [];
  // What belongs to the step of a checkpoint is measured and written after it, unless something came between.
  const firstRow = own?.meta.row as Metrics | undefined;
  const opens =
    [0, total_steps].includes(first_step) ||
    !(await processes.every(
      "the first step's metrics",
      !isFirst || workdir === undefined || isWritten(metricsAt(workdir, first_step), firstRow, dueFirst),
    ));
  const writer = new MetricsWriter(isFirst ? workdir : undefined, opens ? first_step - 1 : first_step);
  const log = new StepLog({ hooks, run, runtime, writer, progress });

  /** Adds to a step's row what the evaluators measure. False if the run is to stop before they are through. */
  const evaluate = async (due: readonly DueEvaluator[], step: number): Promise<boolean> => {
    if (due.length === 0) return true;
    const metrics: Record<string, number> = {};
    try {
      for (const evaluator of due) {
        const start = performance.now();
        for await (const [name, value] of evaluator.run(state, step)) metrics[name] = value;
        metrics[evaluatorSeconds(evaluator)] = (performance.now() - start) / 1000;
      }
    } catch (error) {
      if (error instanceof BrokenOff) return false;
      throw error;
    }
    await hooks.evaluate.promise(metrics, step, run);
    log.amend(step, metrics);
    return true;
  };
  const madeWith = options.provenance && summaryOf(options.provenance);
  const save = async (step: number, keep: boolean) => {
    await log.settled();
    const arrays = await chrono.pause<Saved['arrays']>(() =>
      processes.count === 1 ? stateToHost(runtime, state) : stateParts(runtime, state),
    );
    const meta = { chrono: chrono.save(step), row: log.row(step), config, provenance: madeWith };
    store?.save({ step, keep, arrays, meta }, () => hooks.checkpoint.promise(step, run));
  };

  const every = (prefix: string) => stepsOf(prefix, config, length, undefined);
  const logEvery = every('log_training');
  const ckptEvery = every('ckpt');
  const keepEvery = every('keep_ckpt') ?? (ckptEvery === undefined ? undefined : total_steps);
  const stream = input.batches(first_step);
  let step = first_step;
  try {
    // ---- Evaluation before the first step, after the last, or where the run was cut off ------------------------------
    /** Whether evaluators of the newest step have still to run. */
    let owes = false;
    if (opens) {
      log.open(first_step, {}, true);
      log.amend(first_step, firstRow ?? {});
      owes = !(await chrono.pause(() => evaluate(dueFirst, first_step)));
      log.close(first_step);
    }

    // ---- Loop --------------------------------------------------------------------------------------------------------
    let stopped = owes || (await stops());
    while (step < total_steps && !stopped) {
      step++;
      const start = performance.now();
      let batch = (await stream.next()) as HostBatch;
      if (hooks.data.isUsed()) batch = await hooks.data.promise(batch, step, run);
      const stepOptions = hooks.step.call({}, step, run);
      const onDevice = batchToDevice(batch);
      // A tap may have kept what it saw.
      if (!hooks.data.isUsed()) stream.release?.(batch);
      const result = program(state, onDevice, loopKey, stepOptions);
      state = result.state;
      tf.dispose(Object.values(onDevice));

      // ---- Metrics ---------------------------------------------------------------------------------------------------
      const logged = itstime(step, logEvery, total_steps) || chrono.warmingUp;
      log.open(step, result.metrics, logged);
      if (step === first_step + 1) {
        await log.settled();
        log.amend(step, { 'z/secs/update0': (performance.now() - start) / 1000 });
      }
      if (logged) log.amend(step, { ...scheduleMetrics(run, step), ...chrono.tick(step) });
      await log.settled(maxInFlight);
      progress.step({ step, total: total_steps, examples: batch_size, loss: log.latest.training_loss });

      // ---- Checkpoint ------------------------------------------------------------------------------------------------
      store?.throwFailure();
      const keep = itstime(step, keepEvery, total_steps, { first: false });
      stopped = await stops();
      const saves = keep || stopped || itstime(step, ckptEvery, total_steps);
      if (store && saves) await save(step, keep);

      // ---- Evaluators ------------------------------------------------------------------------------------------------
      const due = dueAt(step);
      owes = stopped && due.length > 0;
      if (due.length > 0 && !stopped) {
        await log.settled();
        log.amend(step, chrono.tick(step));
        owes = stopped = !(await chrono.pause(() => evaluate(due, step)));
        if (store && stopped && !saves) await save(step, keep);
      }
      log.close(step);
    }
    await log.settled();
    await store?.finish();
    const status = step === total_steps && !owes ? 'done' : 'preempted';
    if (status === 'done') await hooks.done.promise(run);
    run.note(`${status === 'done' ? 'Done' : 'Stopped'} after ${chrono.summary()}.`);
    return { status, step, metrics: log.latest, params: state.params };
  } finally {
    await Promise.allSettled([stream.close(), store?.finish()]);
    await input.close();
    writer.close();
  }
}

/** Each schedule's multiplier of this step, and the learning rate that the first of them gives. */
function scheduleMetrics({ config, update }: Run, step: number): Record<string, number> {
  const multipliers = update.schedules.map((schedule) => schedule.at(step - 1));
  const named = multipliers.map((value, i) => [`global_schedule${i === 0 ? '' : i}`, value]);
  return { ...Object.fromEntries(named), lr: config.lr * (multipliers[0] ?? 0) };
}

const evaluatorSeconds = ({ name }: DueEvaluator) => `z/secs/eval/${name}`;

/** Whether the metrics file has what was measured in a step, and by the evaluators after it. */
function isWritten(
  written: Metrics | undefined,
  row: Metrics | undefined,
  due: readonly DueEvaluator[],
): boolean {
  const names = [...Object.keys(row ?? {}), ...due.map(evaluatorSeconds)];
  return names.every((name) => written !== undefined && name in written);
}

async function openWorkdir(workdir: string): Promise<void> {
  try {
    await fs.mkdir(workdir, { recursive: true });
    await fs.access(workdir, fs.constants.W_OK);
  } catch (cause) {
    throw errors.workdir({ workdir, cause: cause as NodeJS.ErrnoException });
  }
}

async function describeRun(workdir: string, { config, provenance }: TrainOptions): Promise<void> {
  const write = (file: string, value: unknown) =>
    fs.writeFile(path.join(workdir, file), `${JSON.stringify(value, null, 2)}\n`);
  try {
    await write(configFile, config);
    if (provenance) await write(provenanceFile, provenance);
  } catch (cause) {
    throw errors.workdir({ workdir, cause: cause as NodeJS.ErrnoException });
  }
}
