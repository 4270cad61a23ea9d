// The shapes of learning-rate schedules. Each is a multiplier of the learning rate at a step: 0-based, the number of
// finished updates, so that the first update of a run with a warm-up has a rate of 0.

import type { RunLength, Schedule } from '../../core/extensions';
import { stepsOf } from '../../core/train/steps';
import { type Arithmetic, inTrace, onHost } from './arithmetic';
import { errors } from './errors';
import type { CommonOptions, DecayOptions, RsqrtOptions, StairOptions } from './options';

/** What a decay is computed from. `peak` is where it starts, after the warm-up. */
export interface Decay<T> {
  readonly math: Arithmetic<T>;
  readonly peak: number;
  readonly warmup: number;
  readonly total: number;
}

/** clip((step - warmup) / (total - warmup), 0, 1) */
function progress<T>({ math, warmup, total }: Decay<T>): T {
  return math.min(math.max(math.div(math.since(warmup), total - warmup), 0), 1);
}

/** peak (1 + cos(pi progress)) / 2 (SGDR, arXiv:1608.03983, without restarts) */
export function cosine<T>(decay: Decay<T>): T {
  const { math, peak } = decay;
  return math.mul(0.5 * peak, math.add(1, math.cos(math.mul(Math.PI, progress(decay)))));
}

/** end + (peak - end) (1 - progress)^power */
export function polynomial<T>(decay: Decay<T>, { end, linear_end, power }: DecayOptions): T {
  const { math, peak } = decay;
  const last = end ?? linear_end ?? 0;
  const left = math.sub(1, progress(decay));
  return math.add(last, math.mul(peak - last, power === 1 ? left : math.pow(left, power)));
}

/**
 * peak / sqrt(1 + (step - warmup + shift) / timescale), and constant during the warm-up (Scaling Vision Transformers,
 * arXiv:2106.04560, section 3.5).
 */
export function rsqrt<T>(decay: Decay<T>, options: RsqrtOptions, length: RunLength): T {
  const { math, peak, warmup } = decay;
  const timescale = stepsOf('timescale', options, length, options.timescale);
  const shift = stepsOf('shift', options, length, options.shift);
  const elapsed = math.max(math.since(warmup - shift), shift);
  return math.div(peak, math.sqrt(math.add(1, math.div(elapsed, timescale))));
}

/**
 * peak mults[i] from steps[i], rounded down, on; peak before that. The multipliers don't accumulate.
 * @throws UserError where the run comes to a step that has none.
 */
export function stair<T>({ math, peak, total }: Decay<T>, { steps, mults }: StairOptions): T {
  const step = steps[mults.length];
  if (step !== undefined && step < total) throw errors.stair({ step, total, steps, mults });
  const multiplier = mults
    .slice(0, steps.length)
    .reduce<T>(
      (before, mult, i) => math.from(Math.floor(steps[i] as number), mult, before),
      math.constant(1),
    );
  return math.mul(peak, multiplier);
}

/** The decay between a linear warm-up from 0 and a linear cool-down to 0. */
export function scheduleOf<Options extends CommonOptions>(
  decayOf: <T>(decay: Decay<T>, options: Options, length: RunLength) => T,
  options: Options,
  length: RunLength,
): Schedule {
  const { total_steps: total, batch_size } = length;
  const warmup = stepsOf('warmup', options, length, 0);
  const cooldown = stepsOf('cooldown', options, length, 0);
  // Runs of 0 or 1 steps evaluate and debug: any warm-up will do.
  if (total > 1 && warmup >= total) throw errors.warmup({ warmup, total });
  const peak = options.mult * (options.scale_with_batchsize ? batch_size / 256 : 1);

  const rate = <T>(math: Arithmetic<T>): T => {
    let value = decayOf({ math, peak, warmup, total }, options, length);
    if (warmup) value = math.mul(value, math.min(1, math.div(math.since(0), warmup)));
    if (cooldown) value = math.mul(value, math.min(1, math.div(math.since(total), -cooldown)));
    return value;
  };
  return {
    at: (step) => rate(onHost(step)),
    traced: (step) => rate(inTrace(step)),
  };
}
