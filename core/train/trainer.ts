// A training run from a checked config to its last checkpoint. Reads top to bottom; each section is where one or
// more of the hooks are called.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { CheckpointStore, findCheckpoint } from '../checkpoint/store';
import type { Config } from '../config/schema';
import type { Container } from '../container';
import { catalogue, ExitCode } from '../errors';
import type { Model, Params, Registry, RunLength } from '../extensions';
import { checkOrder, type TrainerHooks, type TrainState } from '../hooks';
import { constant } from '../layers/init';
import { declareParams, initParams } from '../layers/params';
import type { Progress } from '../progress';
import { type PartitionSpec, type Runtime, TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { mapTree, namedLeaves, nest } from '../tree';
import { Chrono, type ChronoTotals } from './chrono';
import { type DueEvaluator, evaluatorsOf, stockPredictFns } from './evals';
import { StepLog } from './log';
import { MetricsWriter } from './metrics';
import { type HostBatch, type Run, tokens } from './run';
import {
  makeState,
  paramsToDevice,
  paramsToHost,
  restoreState,
  shardingsFrom,
  specsOf,
  stateToHost,
} from './state';
import { buildStep, stepFunction } from './step';
import { itstime, stepsOf } from './steps';

export interface TrainOptions {
  /** Checked and complete: see `resolveConfig`. */
  readonly config: Config;
  /** Tapped by the plugins that the config names. */
  readonly hooks: TrainerHooks;
  readonly registry: Registry;
  readonly container: Container;
  readonly runtime: Runtime;
  /** Absent: no metrics file and no checkpoints. */
  readonly workdir?: string;
  readonly progress: Progress;
  /** Aborting it makes the run write a checkpoint after the current step and stop. */
  readonly stop?: AbortSignal;
  /** Facts about the program that go into every checkpoint: versions of core and plugins. */
  readonly provenance?: Readonly<Record<string, unknown>>;
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
    what: `Can't use the workdir ${v.workdir}: ${v.cause.message}.`,
    fix: 'give a folder that you may write to with --workdir.',
    exitCode: ExitCode.storage,
  }),
  batchSize: (v: { batch_size: number; devices: number }) => ({
    what: `input.batch_size is ${v.batch_size}, which doesn't divide over ${v.devices} devices.`,
    fix: `set it to ${Math.max(1, Math.floor(v.batch_size / v.devices)) * v.devices} or ${Math.ceil(v.batch_size / v.devices) * v.devices}.`,
  }),
  noLength: () => ({
    what: 'The config gives no length of the run.',
    fix: 'set one of total_steps, total_epochs, total_examples.',
  }),
  noLoad: (v: { model: string }) => ({
    what: `The model "${v.model}" can't load parameters, but model_init is set.`,
    fix: 'remove model_init, or resume a whole checkpoint with "resume".',
  }),
});

/** How many steps the host may run ahead of the device. */
const maxInFlight = 2;

export async function train(options: TrainOptions): Promise<TrainResult> {
  const { hooks, registry, container, runtime, workdir, progress, stop } = options;
  container.provide(tokens.runtime, runtime);
  container.provide(tokens.registry, registry);
  checkOrder(hooks);
  const config = hooks.config.call(options.config);
  const { batch_size } = config.input;

  // ---- Workdir -----------------------------------------------------------------------------------------------------
  if (workdir !== undefined) {
    try {
      await fs.mkdir(workdir, { recursive: true });
      await fs.writeFile(path.join(workdir, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    } catch (cause) {
      throw errors.workdir({ workdir, cause: cause as NodeJS.ErrnoException });
    }
  }

  // ---- Input -------------------------------------------------------------------------------------------------------
  if (batch_size % runtime.mesh.size !== 0)
    throw errors.batchSize({ batch_size, devices: runtime.mesh.size });
  const input = await container.get(tokens.input).train(config.input, config.seed);
  const data_size = input.examples;
  const total_steps = stepsOf('total', config, { batch_size, data_size, total_steps: 0 }, undefined);
  if (total_steps === undefined) throw errors.noLength();
  const length: RunLength = { total_steps, batch_size, data_size };
  const batchSharding: PartitionSpec = [runtime.mesh.axes.map(([name]) => name)];
  const batchSpec = mapTree<TensorSpec, TensorSpec, Record<string, TensorSpec>>(
    { ...input.spec },
    ({ dtype, shape }) => new TensorSpec(dtype, shape, batchSharding),
  );
  const toDevice = (batch: HostBatch) =>
    Object.fromEntries(
      Object.entries(batch).map(([name, array]) => [name, runtime.toDevice(array, batchSharding)]),
    );

  // ---- Model and optimizer -----------------------------------------------------------------------------------------
  const modelOptions = {
    ...(config.num_classes !== undefined && { num_classes: config.num_classes }),
    ...config.model,
  };
  const stockModel: Model = registry.create(container, 'model', config.model_name, modelOptions, 'model');
  const xent = registry.create(container, 'loss', config.loss, config.loss_options, 'loss_options');
  const scaffold = {
    config,
    container,
    runtime,
    workdir,
    length,
    note: (text: string) => progress.note(text),
  };
  const model = hooks.model.call(stockModel, scaffold as Run);
  const declared = declareParams(runtime, model, batchSpec);
  if (config.init_head_bias !== undefined) {
    const bias = declared.findIndex(({ name }) => name === 'head/bias');
    if (bias >= 0) declared[bias] = { ...declared[bias]!, init: constant(config.init_head_bias) };
  }
  const paramSpecs = nest(declared.map(({ name, spec }) => [name, spec] as const));
  const update = container.get(tokens.updateRule)(config, paramSpecs, length);
  const run: Run = { ...scaffold, model, update, params: paramSpecs };
  const shardings = shardingsFrom(config.sharding_strategy, { registry, container, mesh: runtime.mesh });

  // ---- State: resumed, loaded or made ------------------------------------------------------------------------------
  const [initKey, loopKey] = runKeys(config.seed);
  let params = initParams(runtime, declared, initKey, (name, spec) => shardings(`params/${name}`, spec));
  const extraFn = hooks.state.call(() => ({}), run);
  const store =
    workdir === undefined ? undefined : new CheckpointStore(path.join(workdir, 'checkpoints'), run.note);
  const own = await store?.latest();
  const checkpoint = own ?? (config.resume ? await findCheckpoint(config.resume, run.note) : undefined);

  if (!checkpoint && config.model_init) {
    if (!model.load) throw errors.noLoad({ model: config.model_name });
    const initial = await paramsToHost(runtime, params);
    tf.dispose(namedLeaves<tf.Tensor>(params).map(([, tensor]) => tensor));
    params = paramsToDevice(
      runtime,
      await model.load(initial, config.model_init, config.model_load),
      shardings,
    );
    run.note(`Parameters from ${config.model_init}.`);
  }
  if (!checkpoint && hooks.init.isUsed()) {
    const initial = await hooks.init.promise(await paramsToHost(runtime, params), run);
    tf.dispose(namedLeaves<tf.Tensor>(params).map(([, tensor]) => tensor));
    params = paramsToDevice(runtime, initial, shardings);
  }
  let state: TrainState = makeState(runtime, params, update, extraFn, shardings);
  if (checkpoint) {
    const specs = namedLeaves<TensorSpec>(specsOf(runtime, { ...state } as never));
    tf.dispose(namedLeaves<tf.Tensor>({ ...state }).map(([, tensor]) => tensor));
    state = restoreState(runtime, specs, checkpoint);
    run.note(`Resumed from step ${checkpoint.step} (${checkpoint.path}).`);
  }
  const first_step = checkpoint?.step ?? 0;
  const chrono = new Chrono(
    { ...length, devices: runtime.mesh.size, platform: runtime.platform, memory: () => runtime.memory() },
    first_step,
    checkpoint?.meta.chrono as ChronoTotals | undefined,
  );
  if (checkpoint) await hooks.restore.promise(first_step, run);

  // ---- Step and evaluators -----------------------------------------------------------------------------------------
  const program = runtime.jit(stepFunction(buildStep(hooks, run, xent)), {
    name: 'train step',
    donate: [0],
    static: [3],
  });
  const evaluators = evaluatorsOf(run, registry, hooks.predict.call(stockPredictFns(run, xent), run));
  const writer = new MetricsWriter(workdir, first_step);
  const log = new StepLog({ hooks, run, runtime, writer, progress });

  const evaluate = async (due: readonly DueEvaluator[], step: number): Promise<Record<string, number>> => {
    const metrics: Record<string, number> = {};
    for (const evaluator of due) {
      const start = performance.now();
      for await (const [name, value] of evaluator.run(state.params, step)) metrics[name] = value;
      metrics[`z/secs/eval/${evaluator.name}`] = (performance.now() - start) / 1000;
    }
    if (due.length > 0) await hooks.evaluate.promise(metrics, step, run);
    return metrics;
  };
  const save = async (step: number, keep: boolean) => {
    await log.settled();
    const arrays = await chrono.pause(() => stateToHost(runtime, state));
    const meta = { chrono: chrono.save(step), config, provenance: options.provenance };
    store?.save({ step, keep, arrays, meta }, () => hooks.checkpoint.promise(step, run));
  };

  const every = (prefix: string) => stepsOf(prefix, config, length, undefined);
  const logEvery = every('log_training');
  const ckptEvery = every('ckpt');
  const keepEvery = every('keep_ckpt') ?? (ckptEvery === undefined ? undefined : total_steps);
  const key = runtime.toDevice(loopKey);
  const stream = input.batches(first_step);
  let step = first_step;
  try {
    // ---- Evaluation before the first step, or again after the last --------------------------------------------------
    if (first_step === 0 || first_step === total_steps) {
      const due = evaluators.filter(({ skipFirst }) => !skipFirst || first_step === total_steps);
      log.open(first_step, {}, true);
      log.amend(first_step, await chrono.pause(() => evaluate(due, first_step)));
      log.close(first_step);
    }

    // ---- Loop --------------------------------------------------------------------------------------------------------
    while (step < total_steps && !stop?.aborted) {
      step++;
      const start = performance.now();
      let batch = (await stream.next()) as HostBatch;
      if (hooks.data.isUsed()) batch = await hooks.data.promise(batch, step, run);
      const stepOptions = hooks.step.call({}, step, run);
      const onDevice = toDevice(batch);
      const result = program(state, onDevice, key, stepOptions);
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
      const preempted = stop?.aborted === true;
      if (store && (keep || preempted || itstime(step, ckptEvery, total_steps))) await save(step, keep);

      // ---- Evaluators ------------------------------------------------------------------------------------------------
      const due = evaluators.filter(
        ({ every }) => every !== undefined && itstime(step, every, total_steps, { first: false }),
      );
      if (due.length > 0 && !preempted) {
        await log.settled();
        log.amend(step, { ...chrono.tick(step), ...(await chrono.pause(() => evaluate(due, step))) });
      }
      log.close(step);
    }
    await log.settled();
    await store?.finish();
    const status = step === total_steps ? 'done' : 'preempted';
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

/** The original's derivation: the seed's key, split for init, what remains split for the loop. */
function runKeys(seed: number): [init: tf.random.HostKey, loop: ReturnType<typeof tf.random.keyArray>] {
  const [rest, init] = tf.random.split(tf.random.key(seed), 2) as [tf.random.HostKey, tf.random.HostKey];
  const [, loop] = tf.random.split(rest, 2) as [tf.random.HostKey, tf.random.HostKey];
  return [init, tf.random.keyArray(loop)];
}
