// Durations and periods of a run: every one may be given in steps, epochs, examples or as a fraction of the run, and
// the trainer deals with steps alone.

import { catalogue } from '../errors';
import type { RunLength } from '../extensions';
import { roundHalfEven } from '../round';

const units = ['steps', 'examples', 'epochs', 'percent'] as const;

const errors = catalogue('steps', {
  severalUnits: (v: { keys: readonly string[] }) => ({
    what: `${v.keys.join(' and ')} are all set, but they say the same thing in different units.`,
    fix: `keep one of them (null or a negative number takes one out).`,
  }),
  missing: (v: { prefix: string }) => ({
    what: `The config doesn't say how long "${v.prefix}" is.`,
    fix: `set one of: ${units.map((unit) => `${v.prefix}_${unit}`).join(', ')}.`,
  }),
  noReference: (v: { key: string; needs: string }) => ({
    what: `${v.key} can't be turned into steps: ${v.needs} isn't known here.`,
    fix: `use another unit, such as ${v.key.replace(/_[a-z]+$/, '_steps')}.`,
  }),
  percent: (v: { key: string; value: number }) => ({
    what: `${v.key} is ${v.value}, but it is a fraction of the run, from 0 to 1.`,
    fix: `${v.key}=${v.value > 1 && v.value <= 100 ? v.value / 100 : 0.1}.`,
  }),
  notANumber: (v: { key: string; value: unknown }) => ({
    what: `${v.key} is ${JSON.stringify(v.value)}, not a number.`,
    fix: `set ${v.key} to a number, or leave it out.`,
  }),
});

/** What epochs, examples and percent refer to; what isn't known is left out. */
export type StepSizes = { readonly [K in keyof RunLength]?: number | null };

/**
 * The duration `{prefix}_{steps,epochs,examples,percent}` in steps. Steps are taken as they are; the other units are
 * rounded to the nearest step (half to even), but never down to none unless they are exactly 0. A negative number
 * means that the key isn't set.
 * @param fallback returned when no unit is set, or when it can't be converted; without it both are errors.
 */
export function stepsOf(prefix: string, config: object, sizes: StepSizes): number;
export function stepsOf<Fallback>(
  prefix: string,
  config: object,
  sizes: StepSizes,
  fallback: Fallback,
): number | Fallback;
export function stepsOf(
  prefix: string,
  config: object,
  { batch_size, data_size, total_steps }: StepSizes,
  ...fallback: [] | [unknown]
): unknown {
  const set = units.flatMap((unit) => {
    const value = (config as Record<string, unknown>)[`${prefix}_${unit}`] ?? -1;
    if (typeof value !== 'number') throw errors.notANumber({ key: `${prefix}_${unit}`, value });
    return value >= 0 ? [{ unit, value, key: `${prefix}_${unit}` }] : [];
  });
  if (set.length > 1) throw errors.severalUnits({ keys: set.map(({ key }) => key) });

  const duration = set[0];
  if (!duration) {
    if (fallback.length > 0) return fallback[0];
    throw errors.missing({ prefix });
  }
  const { unit, value, key } = duration;
  if (unit === 'percent' && value > 1) throw errors.percent({ key, value });

  if (unit === 'steps') return value;
  if (unit === 'examples' && batch_size) return atLeastOne(value / batch_size);
  if (unit === 'epochs' && batch_size && data_size) return atLeastOne(value * (data_size / batch_size));
  if (unit === 'percent' && total_steps) return atLeastOne(value * total_steps);

  if (fallback.length > 0) return fallback[0];
  const needs = {
    examples: 'the batch size',
    epochs: 'the size of the training data',
    percent: 'the length of the run',
  };
  throw errors.noReference({ key, needs: needs[unit] });
}

function atLeastOne(steps: number): number {
  return steps === 0 ? 0 : Math.max(1, roundHalfEven(steps));
}

export interface TimeOptions {
  /** Act on step 1. */
  readonly first?: boolean;
  /** Act on the last step. */
  readonly last?: boolean;
  /**
   * Leave out a step that is closer to the last one than this fraction of the period: a checkpoint two steps before
   * the last would be written for nothing.
   */
  readonly dropCloseToLast?: number;
}

/** Whether something that happens every `every` steps is due at `step` (1-based). Never, if `every` is 0 or unset. */
export function itstime(
  step: number,
  every: number | null | undefined,
  total: number,
  { first = true, last = true, dropCloseToLast = 0.25 }: TimeOptions = {},
): boolean {
  if (!every) return false;
  const closeToLast = dropCloseToLast > 0 && Math.abs(step - total) < dropCloseToLast * every;
  return (step % every === 0 && !closeToLast) || (last && step === total) || (first && step === 1);
}
