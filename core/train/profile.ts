// Where the time of a run goes: a few steps of a config, each phase of them by the clock of the host.

import type { Compiled } from '../runtime';
import type { TrainState } from '../hooks';
import { TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { mapTree, nest } from '../tree';
import { type GroupMemory, memoryByGroup } from './memory';
import type { HostBatch, Run } from './run';
import { type SetupOptions, setUp } from './setup';
import { makeState, stateSpecs } from './state';
import { buildStep, jitStep } from './step';

/** What the host did from when to when: milliseconds since the profile began. */
export interface Span {
  readonly phase: string;
  readonly start: number;
  readonly ms: number;
}

/** Phases of one step, in order. */
export const stepPhases = ['input', 'host to device', 'dispatch', 'device'] as const;

export interface Profile {
  readonly run: Run;
  readonly steps: number;
  readonly spans: readonly Span[];
  /** Undefined where the runtime compiles nothing. */
  readonly program?: Compiled;
  readonly state: readonly GroupMemory[];
  /** Seconds a step while the host runs ahead, as in training. */
  readonly stepSeconds: number;
  /** Part of that in which the loop waited for a batch. */
  readonly inputSeconds: number;
  /** What the devices did in a few more steps, or why it isn't known; only if asked for. */
  readonly devices?: { readonly xspace: Uint8Array } | { readonly reason: string };
}

/** As the trainer has it. */
const maxInFlight = 2;

/** A trace of the devices has each operation of each step: more would be too much to look at. */
const maxTraced = 5;

/**
 * Sets a run up, does one step to warm up, `steps` steps one at a time for their phases, and as many as in training for
 * the time of a step; with `trace` a few more while the devices are recorded.
 */
export async function profileSteps(
  options: SetupOptions & { readonly steps: number; readonly trace?: boolean },
): Promise<Profile> {
  const { hooks, runtime, steps, trace = false } = options;
  const spans: Span[] = [];
  const begun = performance.now();
  const timed = async <T>(phase: string, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    spans.push({ phase, start: start - begun, ms: performance.now() - start });
    return result;
  };

  const { run, input, loss, shardings, loopKey, batchToDevice, initialParams } = await timed('set up', () =>
    setUp(options),
  );
  const stream = input.batches(0);
  try {
    const extraFn = hooks.state.call(() => ({}), run);
    const specs = stateSpecs(run, extraFn, shardings);
    let state = await timed('initial state', async () => {
      const made = makeState(run, await initialParams(), extraFn, shardings);
      await runtime.idle();
      return made;
    });
    const step = jitStep(runtime, buildStep(hooks, run, loss));
    const optionsOf = (i: number) => hooks.step.call({}, i, run);
    let program: Compiled | undefined;
    if (runtime.compiles) {
      const stateTree = { params: {}, opt: {}, extra: {}, ...nest(specs) };
      const key = new TensorSpec('int32', [2]);
      program = await timed('trace and compile', () =>
        step.compile(stateTree, run.batchSpec, key, optionsOf(1)),
      );
    }

    let done = 0;
    /** Starts a step; resolves to a promise of its end. */
    const start = async (
      phase: <T>(name: string, work: () => T | Promise<T>) => Promise<T>,
    ): Promise<() => Promise<void>> => {
      done++;
      let batch = await phase('input', async () => (await stream.next()) as HostBatch);
      if (hooks.data.isUsed()) batch = await phase('hook data', () => hooks.data.promise(batch, done, run));
      const onDevice = await phase('host to device', () => batchToDevice(batch));
      if (!hooks.data.isUsed()) stream.release?.(batch);
      const result = await phase('dispatch', () => step(state, onDevice, loopKey, optionsOf(done)));
      state = result.state as TrainState;
      tf.dispose(Object.values(onDevice));
      const { training_loss, ...others } = result.metrics;
      tf.dispose(Object.values(others));
      return async () => {
        await runtime.toHost(training_loss as tf.Tensor);
        tf.dispose(training_loss as tf.Tensor);
      };
    };

    await (
      await start((_, work) => Promise.resolve(work()))
    )();
    for (let i = 0; i < steps; i++) await timed('device', await start(timed));

    let inputMs = 0;
    /** As in training: the host runs ahead. */
    const asInTraining = async (count: number) => {
      const ends: Promise<void>[] = [];
      for (let i = 0; i < count; i++) {
        const end = await start(async (name, work) => {
          const from = performance.now();
          const result = await work();
          if (name === 'input') inputMs += performance.now() - from;
          return result;
        });
        ends.push(end());
        await ends[i - maxInFlight];
      }
      await Promise.all(ends);
    };
    const loopStart = performance.now();
    await asInTraining(steps);
    const stepSeconds = (performance.now() - loopStart) / 1000 / steps;
    const inputSeconds = inputMs / 1000 / steps;

    let devices: Profile['devices'];
    if (trace && runtime.traceDevices) {
      const recording = runtime.traceDevices();
      if ('reason' in recording) devices = recording;
      else {
        await asInTraining(Math.min(steps, maxTraced));
        devices = { xspace: recording.stop() };
      }
    }
    mapTree<tf.Tensor, void>({ ...state }, (tensor) => tensor.dispose());
    return {
      run,
      steps,
      spans,
      program,
      state: memoryByGroup(specs, runtime.mesh),
      stepSeconds,
      inputSeconds,
      devices,
    };
  } finally {
    await stream.close();
    await input.close();
  }
}
