// From gradients to updates, as the original's optimizer wrapper chains them:
//   update = -schedule(step) (lr lr_mult transform(clip(g)) + wd wd_mult p)
// where patterns of parameter names choose the schedule, lr_mult and wd_mult, and a null schedule freezes.

import type { DType } from '../../core/array';
import type { Config } from '../../core/config/schema';
import type { Container } from '../../core/container';
import type { Params, Registry, Schedule } from '../../core/extensions';
import * as tf from '../../core/tensor';
import type { UpdateRule, UpdateRuleFactory } from '../../core/train/run';
import { firstMatches, fullMatch, isDict, namedLeaves, nest, type NestedRecord } from '../../core/tree';
import { clipByGlobalNorm } from './clip';
import { errors } from './errors';

export function updateRuleFactory(registry: Registry, container: Container): UpdateRuleFactory {
  return (config, params, length) => {
    const names = namedLeaves(params).map(([name]) => name);

    const entries = scheduleEntries(config);
    const schedules = entries.map(({ where, options }): Schedule | null => {
      if (options === null) return null;
      const { decay_type = 'stair', ...rest } = options;
      if (typeof decay_type !== 'string') throw errors.decayType({ where, value: decay_type });
      return registry.create(container, 'schedule', decay_type, rest, where)(length);
    });
    const patterns = entries.map(({ pattern }) => pattern);
    const chosen = matches('schedule', names, patterns);
    const uncovered = names.filter((_, i) => chosen[i] === -1);
    if (uncovered.length > 0) throw errors.uncovered({ names: uncovered, patterns });

    const lrMults = multipliers('lr_mults', names, config.lr_mults);
    const wdMults = multipliers('wd_mults', names, config.wd_mults);
    const active = names.flatMap((name, i): Active[] => {
      const schedule = schedules[chosen[i] as number] ?? null;
      if (schedule === null) return [];
      const decay = wdMults[i] === undefined ? 0 : (config.wd ?? 0) * wdMults[i];
      return [{ name, schedule, lrMult: lrMults[i], decay }];
    });

    if (active.length === 0) throw errors.allFrozen(patterns);

    registry.find('optimizer', config.optax_name, 'optax_name');
    const transform = registry.create(container, 'optimizer', config.optax_name, config.optax, 'optax');
    const activeNames = new Set(active.map(({ name }) => name));
    // Parameters in half precision have gradients, states and updates in float32, until they are updated.
    const half = new Map(
      namedLeaves(params).flatMap(([name, { dtype }]) => (isHalf(dtype) ? [[name, dtype] as const] : [])),
    );
    const pick = (tree: Params): [string, tf.Tensor][] =>
      namedLeaves<tf.Tensor>(tree)
        .filter(([name]) => activeNames.has(name))
        .map(([name, x]) => [name, half.has(name) ? tf.castStorage(x, 'float32') : x]);
    // The transform's state under its own name; none at all if it keeps none, so that states round-trip by leaf names.
    const wrap = (state: NestedRecord<tf.Tensor>) => (isEmpty(state) ? {} : { [config.optax_name]: state });
    const unwrap = (state: NestedRecord<tf.Tensor>) =>
      (state[config.optax_name] ?? {}) as NestedRecord<tf.Tensor>;

    return {
      schedules: schedules.filter((schedule) => schedule !== null),
      frozen: (name) => !activeNames.has(name),

      init: (values) => wrap(transform.init(nest(pick(values)))),

      update(grads, state, values, step) {
        const live = pick(values);
        let gradients = pick(grads);
        if (config.grad_clip_norm) {
          const clipped = clipByGlobalNorm(
            gradients.map(([, g]) => g),
            config.grad_clip_norm,
          );
          gradients = gradients.map(([name], i) => [name, clipped[i] as tf.Tensor]);
        }
        const transformed = transform.update(nest(gradients), unwrap(state), nest(live));

        const rates = new Map<Schedule, tf.Tensor>();
        const negativeRate = (schedule: Schedule): tf.Tensor => {
          const rate = rates.get(schedule) ?? tf.neg(schedule.traced(step));
          rates.set(schedule, rate);
          return rate;
        };
        const directions = new Map(namedLeaves<tf.Tensor>(transformed.updates));
        const parameters = new Map(live);
        const updates = active.map(({ name, schedule, lrMult, decay }) => {
          let update = tf.mul(directions.get(name) as tf.Tensor, config.lr);
          if (lrMult !== undefined && lrMult !== 1) update = tf.mul(update, lrMult);
          if (decay !== 0) update = tf.add(update, tf.mul(parameters.get(name) as tf.Tensor, decay));
          update = tf.mul(update, negativeRate(schedule));
          const storage = half.get(name);
          return [name, storage ? tf.castStorage(update, storage) : update] as const;
        });
        return {
          updates: nest([...updates, ...namedLeaves(zeros(values, activeNames))]),
          state: wrap(transformed.state),
        };
      },
    } satisfies UpdateRule;
  };
}

/** How a parameter that isn't frozen is updated. */
interface Active {
  readonly name: string;
  readonly schedule: Schedule;
  readonly lrMult: number | undefined;
  /** wd * wd_mult */
  readonly decay: number;
}

/** Zero updates for the frozen parameters. */
function zeros(params: Params, active: ReadonlySet<string>): NestedRecord<tf.Tensor> {
  const frozen = namedLeaves<tf.Tensor>(params).filter(([name]) => !active.has(name));
  return nest(frozen.map(([name, param]) => [name, tf.zerosLike(param)] as const));
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
  pairs: readonly (readonly [pattern: string, value: number])[] = [],
): (number | undefined)[] {
  const patterns = pairs.map(([pattern]) => pattern);
  return matches(where, names, patterns).map((index) => pairs[index]?.[1]);
}

/** For each name the index of the first pattern that matches it whole, or -1. */
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

function isHalf(dtype: DType): dtype is 'bfloat16' | 'float16' {
  return dtype === 'bfloat16' || dtype === 'float16';
}

function isEmpty(state: NestedRecord<tf.Tensor>): boolean {
  return isDict(state) && Object.keys(state).length === 0;
}
