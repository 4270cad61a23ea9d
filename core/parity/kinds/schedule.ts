// Schedules, and durations and periods of a run.

import { hostArray } from '../../array';
import type { RunLength } from '../../extensions';
import * as tf from '../../tensor';
import { itstime, stepsOf } from '../../train/steps';
import type { ParityRunner } from '../case';
import { outcomesOf } from '../outcomes';

/** Multipliers as the step uses them; those on the host have to be the same. */
export const scheduleRunner: ParityRunner = async ({ args, inputs }, { runtime, registry, container }) => {
  const { total_steps, batch_size, data_size, base, decay_type = 'stair', ...options } = args;
  // Where nothing refers to them, the original leaves out the other sizes.
  const length = { total_steps, batch_size: batch_size ?? 1, data_size: data_size ?? 1 } as RunLength;
  const all = base === undefined ? options : { ...options, mult: base };
  const schedule = registry.create(container, 'schedule', String(decay_type), all, 'args')(length);
  const steps = inputs.get('step');
  if (!steps) throw new Error('the case has no input "step"');
  const at = runtime.jit(
    (steps: tf.Tensor) =>
      tf.stack(tf.unstack(steps).map((step) => tf.cast(schedule.traced(step), 'float32'))),
    { name: 'parity schedule' },
  );
  const lr = await runtime.toHost(at(runtime.toDevice(steps)));
  const host = Array.from(steps.data, (step) => schedule.at(step));
  const off = host.findIndex((value, i) => Math.abs(value - (lr.data[i] as number)) > 1e-5 * (1 + Math.abs(value))); // prettier-ignore
  if (off >= 0) throw new Error(`step ${steps.data[off]}: ${lr.data[off]} traced, ${host[off]} on the host`);
  return new Map([['lr', lr]]);
};

interface ItstimeArgs {
  readonly every_n_steps: number | null;
  readonly total_steps: number;
  readonly first?: boolean;
  readonly last?: boolean;
  readonly drop_close_to_last?: number;
}

export const itstimeRunner: ParityRunner = async ({ args, inputs }) => {
  const { every_n_steps, total_steps, first, last, drop_close_to_last } = args as unknown as ItstimeArgs;
  const options = { first, last, dropCloseToLast: drop_close_to_last };
  const steps = Array.from(inputs.get('step')?.data ?? []);
  const due = steps.map((step) => Number(itstime(step, every_n_steps, total_steps, options)));
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
