// Where the time of a run goes: a few steps of a config, each phase of them by the clock of the host.

import type { TrainState } from '../hooks';
import type { Compiled } from '../runtime';
import * as tf from '../tensor';
import { leaves } from '../tree';
import { type GroupMemory, memoryByGroup } from './memory';
import type { BatchStream, HostBatch, Run } from './run';
import { type Setup, type SetupOptions, setUp } from './setup';
import { makeState, stateSpecs } from './state';
import { buildStep, jitStep, stepSpecs } from './step';
import { maxInFlight } from './trainer';

/** What the host did from when to when: milliseconds since the profile began. */
export interface Span {
  readonly phase: string;
  readonly start: number;
  readonly ms: number;
}

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

/** A trace of the devices has each operation of each step: more would be too much to look at. */
const maxTraced = 5;

/** Does a part of a step's work, and may take its time. */
type Phase = <T>(name: string, work: () => T | Promise<T>) => Promise<T>;

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
  const timed: Phase = async (phase, work) => {
    const start = performance.now();
    const result = await work();
    spans.push({ phase, start: start - begun, ms: performance.now() - start });
    return result;
  };

  const setup = await timed('set up', () => setUp(options));
  const { run, input, loss, shardings, initialParams } = setup;
  const stream = input.batches(0);
  try {
    const extraFn = hooks.state.call(() => ({}), run);
    const specs = stateSpecs(run, extraFn, shardings);
    const state = await timed('initial state', async () => {
      const made = makeState(run, await initialParams(), extraFn, shardings);
      await runtime.idle();
      return made;
    });
    const step = jitStep(runtime, buildStep(hooks, run, loss));
    const program = runtime.compiles
      ? await timed('trace and compile', () =>
          step.compile(...stepSpecs(run, specs, hooks.step.call({}, 1, run))),
        )
      : undefined;

    const stepper = new Stepper(options, setup, stream, step, state);
    const end = await stepper.start((_, work) => Promise.resolve(work()));
    await end();
    for (let i = 0; i < steps; i++) await timed('device', await stepper.start(timed));
    const { stepSeconds, inputSeconds } = await asInTraining(stepper, steps);
    const devices = trace ? await traced(options, stepper, steps) : undefined;
    stepper.dispose();
    const memory = memoryByGroup(specs, runtime.mesh);
    return { run, steps, spans, program, state: memory, stepSeconds, inputSeconds, devices };
  } finally {
    await stream.close();
    await input.close();
  }
}

/** A run's steps, one after the other. */
class Stepper {
  private done = 0;

  constructor(
    private readonly options: SetupOptions,
    private readonly setup: Setup,
    private readonly stream: BatchStream,
    private readonly step: ReturnType<typeof jitStep>,
    private state: TrainState,
  ) {}

  /** Starts a step; the result waits for its end. */
  async start(phase: Phase): Promise<() => Promise<void>> {
    const { hooks, runtime } = this.options;
    const { run, batchToDevice, loopKey } = this.setup;
    const step = ++this.done;
    let batch = await phase('input', async () => (await this.stream.next()) as HostBatch);
    if (hooks.data.isUsed()) batch = await phase('hook data', () => hooks.data.promise(batch, step, run));
    const onDevice = await phase('host to device', () => batchToDevice(batch));
    if (!hooks.data.isUsed()) this.stream.release?.(batch);
    const stepOptions = hooks.step.call({}, step, run);
    const result = await phase('dispatch', () => this.step(this.state, onDevice, loopKey, stepOptions));
    this.state = result.state;
    tf.dispose(Object.values(onDevice));
    const { training_loss, ...others } = result.metrics;
    tf.dispose(Object.values(others));
    return async () => {
      await runtime.toHost(training_loss as tf.Tensor);
      tf.dispose(training_loss as tf.Tensor);
    };
  }

  dispose(): void {
    tf.dispose(leaves<tf.Tensor>({ ...this.state }));
  }
}

/** Steps while the host runs ahead: seconds of one, and how many of these the loop waited for its batch. */
async function asInTraining(stepper: Stepper, steps: number) {
  let inputMs = 0;
  const ends: Promise<void>[] = [];
  const begun = performance.now();
  for (let i = 0; i < steps; i++) {
    const end = await stepper.start(async (name, work) => {
      const from = performance.now();
      const result = await work();
      if (name === 'input') inputMs += performance.now() - from;
      return result;
    });
    ends.push(end());
    await ends[i - maxInFlight];
  }
  await Promise.all(ends);
  const seconds = (performance.now() - begun) / 1000;
  return { stepSeconds: seconds / steps, inputSeconds: inputMs / 1000 / steps };
}

/** What the devices do in a few steps; undefined where nothing is compiled. */
async function traced(
  { runtime }: SetupOptions,
  stepper: Stepper,
  steps: number,
): Promise<Profile['devices']> {
  const recording = runtime.traceDevices?.();
  if (!recording || 'reason' in recording) return recording;
  await asInTraining(stepper, Math.min(steps, maxTraced));
  return { xspace: recording.stop() };
}
