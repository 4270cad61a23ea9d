// Which schedule, learning-rate multiplier and weight decay each parameter gets: patterns of names, first match wins.

import type { Config } from '../../core/config/schema';
import type { Schedule } from '../../core/extensions';
import { firstMatches, fullMatch } from '../../core/tree';
import { errors } from './errors';

/** How a parameter that isn't frozen is updated. */
export interface Assignment {
  readonly name: string;
  readonly schedule: Schedule;
  readonly lrMult: number;
  /** wd * wd_mult */
  readonly decay: number;
}

export interface Assignments {
  /** In the order of the config, without those that freeze. */
  readonly schedules: readonly Schedule[];
  /** Of the parameters that aren't frozen. */
  readonly active: readonly Assignment[];
}

/** `makeSchedule` makes a schedule from its options; `where` is the config key that holds them. */
export function assign(
  config: Config,
  names: readonly string[],
  makeSchedule: (options: Readonly<Record<string, unknown>>, where: string) => Schedule,
): Assignments {
  const entries = scheduleEntries(config);
  const schedules = entries.map(({ options, where }) => options && makeSchedule(options, where));
  const patterns = entries.map(({ pattern }) => pattern);
  const chosen = matches('schedule', names, patterns);
  const uncovered = names.filter((_, i) => chosen[i] === -1);
  if (uncovered.length > 0) throw errors.uncovered({ names: uncovered, patterns });

  const lrMults = multipliers('lr_mults', names, config.lr_mults);
  const wdMults = multipliers('wd_mults', names, config.wd_mults);
  const active = names.flatMap((name, i): Assignment[] => {
    const schedule = schedules[chosen[i] as number] ?? null;
    if (schedule === null) return [];
    return [{ name, schedule, lrMult: lrMults[i] ?? 1, decay: (config.wd ?? 0) * (wdMults[i] ?? 0) }];
  });
  if (active.length === 0) throw errors.allFrozen(patterns);
  return { schedules: schedules.filter((schedule) => schedule !== null), active };
}

function scheduleEntries({ schedule }: Config) {
  if (!Array.isArray(schedule)) {
    return [{ pattern: '.*', options: schedule as Record<string, unknown>, where: 'schedule' }];
  }
  return schedule.map(([pattern, options], i) => ({ pattern, options, where: `schedule.${i}.1` }));
}

/** For each name the value of the first pattern that matches it. */
function multipliers(
  where: string,
  names: readonly string[],
  listed: readonly (readonly [pattern: string, value: number])[] | null | undefined,
): (number | undefined)[] {
  const pairs = listed ?? [];
  const patterns = pairs.map(([pattern]) => pattern);
  return matches(where, names, patterns).map((index) => pairs[index]?.[1]);
}

/** For each name the index of the first pattern that matches it whole, or -1. `where`: the config key, for errors. */
export function matches(where: string, names: readonly string[], patterns: readonly string[]): number[] {
  for (const pattern of patterns) {
    if (pattern.startsWith('/')) throw errors.slash({ where, pattern });
    try {
      fullMatch(pattern);
    } catch (error) {
      throw errors.pattern({ where, pattern, problem: (error as Error).message });
    }
  }
  return firstMatches(names, patterns);
}
