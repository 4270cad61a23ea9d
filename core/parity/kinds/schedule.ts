// Schedules, and durations and periods of a run.

import { hostArray } from '../../array';
import type { RunLength } from '../../extensions';
import * as tf from '../../tensor';
import { itstime, stepsOf } from '../../train/steps';
import type { ParityRunner } from '../case';
import { outcomesOf } from '../outcomes';

/** Multipliers as the step uses them; those on the host have to be the same, up to rounding. */
export const scheduleRunner: ParityRunner = async ({ args, inputs }, { runtime, registry, container }) => {
  const { total_steps, batch_size, data_size, base, decay_type = 'stair', ...options } = args;
  // A run has all of them; here, as in the original, durations that refer to one that is left out count as not set.
  const length = { total_steps, batch_size, data_size } as RunLength;
  const all = base === undefined ? options : { ...options, mult: base };
  const schedule = registry.create(container, 'schedule', String(decay_type), all, 'args')(length);
  const steps = inputs.get('step');
  if (!steps) throw new Error('the case has no input "step"');
  const at = runtime.jit((step: tf.Tensor) => tf.cast(schedule.traced(step), 'float32'), {
    name: 'parity schedule',
  });
  const rates = await Promise.all(
    Array.from(steps.data, async (step) => {
      const rate = await runtime.toHost(at(runtime.toDevice(hostArray('int32', [], [step]))));
      return rate.data[0] as number;
    }),
  );
  const host = Array.from(steps.data, (step) => schedule.at(step));
  // XLA multiplies by reciprocals where the host divides: at the end of a long run what is left is rounded differently.
  const allowed = 1e-4 * Math.max(...host.map(Math.abs));
  const off = host.findIndex((value, i) => Math.abs(value - (rates[i] as number)) > allowed);
  if (off >= 0) throw new Error(`step ${steps.data[off]}: ${rates[off]} traced, ${host[off]} on the host`);
  return new Map([['lr', hostArray('float32', steps.shape, rates)]]);
};

interface ItstimeArgs {
  readonly every_n_steps: number | null;
  readonly total_steps: number;
  readonly first?: boolean;
  readonly last?: boolean;
  readonly drop_close_to_last?: number;
  /** Of the process that acts; a case is run by one alone, the first. */
  readonly host?: number | null;
}

export const itstimeRunner: ParityRunner = async ({ args, inputs }) => {
  const { every_n_steps, total_steps, first, last, drop_close_to_last, host } =
    args as unknown as ItstimeArgs;
  const options = { first, last, dropCloseToLast: drop_close_to_last };
  const steps = Array.from(inputs.get('step')?.data ?? []);
  const acts = (host ?? 0) === 0;
  const due = steps.map((step) => Number(acts && itstime(step, every_n_steps, total_steps, options)));
  return new Map([['output', hostArray('uint8', [due.length], due)]]);
};

interface StepsCall {
  readonly prefix: string;
  readonly config: object;
  readonly batch_size?: number | null;
  readonly data_size?: number | null;
  readonly total_steps?: number | null;
  readonly default?: number;
}

const stepsOfCall = ({ prefix, config, default: fallback, ...sizes }: StepsCall) =>
  fallback === undefined ? stepsOf(prefix, config, sizes) : stepsOf(prefix, config, sizes, fallback);

export const stepsRunner: ParityRunner = async ({ args }) => {
  const steps = (args.calls as readonly StepsCall[]).map(stepsOfCall);
  return new Map([['steps', hostArray('int32', [steps.length], steps)]]);
};

/** The same for calls that fail. */
export const stepsErrorsRunner: ParityRunner = async ({ args }) =>
  new Map([['result', outcomesOf(args.calls as readonly StepsCall[], stepsOfCall)]]);
