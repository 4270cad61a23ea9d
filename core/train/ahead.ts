// The program of a train step without a run: the real step of a config, traced on shapes alone, and compiled.

import { sizeOf } from '../array';
import type { Compiled, TensorSpec } from '../runtime';
import { leaves } from '../tree';
import type { Run } from './run';
import { type SetupOptions, setUp } from './setup';
import { stateSpecs } from './state';
import { buildStep, jitStep, stepSpecs } from './step';

export interface CompiledStep {
  readonly run: Run;
  readonly program: Compiled;
  /** How many numbers the model has. */
  readonly parameters: number;
  /** Every leaf of the train state. */
  readonly state: readonly [name: string, spec: TensorSpec][];
}

/**
 * Compiles the step of a run, as `train` would have it at its first update. Nothing is initialised or executed.
 * @throws DeviceMemoryError where the runtime's compiler finds that it doesn't fit.
 */
export function compileStep(options: SetupOptions): Promise<CompiledStep> {
  return withStep(options, (step, args, run, state) => {
    const parameters = leaves<TensorSpec>(run.params).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return { run, program: step.compile(...args), parameters, state };
  });
}

/** StableHLO of that step, not compiled; undefined where the runtime compiles nothing. */
export function traceStep(options: SetupOptions): Promise<string | undefined> {
  return withStep(options, (step, args) => step.trace(...args));
}

async function withStep<Result>(
  options: SetupOptions,
  use: (
    step: ReturnType<typeof jitStep>,
    args: readonly unknown[],
    run: Run,
    state: CompiledStep['state'],
  ) => Result,
): Promise<Result> {
  const { hooks, runtime } = options;
  const { run, input, loss, shardings } = await setUp(options);
  try {
    const extraFn = hooks.state.call(() => ({}), run);
    const state = stateSpecs(run, extraFn, shardings);
    const step = jitStep(runtime, buildStep(hooks, run, loss));
    return use(step, stepSpecs(run, state, hooks.step.call({}, 1, run)), run, state);
  } finally {
    await input.close();
  }
}
