// From gradients to updates, as the original's optimizer wrapper chains them:
//   update = -schedule(step) (lr lr_mult transform(clip(g)) + wd wd_mult p)
// where patterns of parameter names choose the schedule, lr_mult and wd_mult, and a null schedule freezes.

import type { DType } from '../../core/array';
import type { Config } from '../../core/config/schema';
import type { Container } from '../../core/container';
import type { Params, Registry, RunLength, Schedule } from '../../core/extensions';
import type { TensorSpec } from '../../core/runtime';
import * as tf from '../../core/tensor';
import type { UpdateRule, UpdateRuleFactory } from '../../core/train/run';
import { namedLeaves, nest, type NestedRecord } from '../../core/tree';
import { assign } from './assign';
import { clipByGlobalNorm, clipByPerExampleGlobalNorm } from './clip';
import { errors } from './errors';

export function updateRuleFactory(registry: Registry, container: Container): UpdateRuleFactory {
  return (config, params, length) => {
    const specs = new Map(namedLeaves(params));
    const { schedules, active } = assign(config, [...specs.keys()], (options, where) =>
      makeSchedule(registry, container, options, where, length),
    );
    registry.find('optimizer', config.optax_name, 'optax_name');
    const transform = registry.create(container, 'optimizer', config.optax_name, config.optax, 'optax');

    const names = new Set(active.map(({ name }) => name));
    const live = (tree: Params) => liveLeaves(tree, names, specs);
    // The transform's state under its own name; none at all if it keeps none, so that states round-trip by leaf names.
    const wrap = (state: NestedRecord<tf.Tensor>) =>
      Object.keys(state).length === 0 ? {} : { [config.optax_name]: state };
    const unwrap = (state: NestedRecord<tf.Tensor>) =>
      (state[config.optax_name] ?? {}) as NestedRecord<tf.Tensor>;

    return {
      schedules,
      frozen: (name) => !names.has(name),
      init: (values) => wrap(transform.init(nest(live(values)))),

      update(grads, state, values, step) {
        const current = live(values);
        const gradients = clipped(live(grads), specs, config);
        const next = transform.update(nest(gradients), unwrap(state), nest(current));

        const negativeRates = new Map(schedules.map((schedule) => [schedule, tf.neg(schedule.traced(step))]));
        const directions = new Map(namedLeaves<tf.Tensor>(next.updates));
        const updates = active.map(({ name, schedule, lrMult, decay }) => {
          let update = tf.mul(directions.get(name) as tf.Tensor, config.lr);
          if (lrMult !== 1) update = tf.mul(update, lrMult);
          if (decay !== 0) update = tf.add(update, tf.mul(current.get(name) as tf.Tensor, decay));
          update = tf.mul(update, negativeRates.get(schedule) as tf.Tensor);
          const { dtype } = specs.get(name) as TensorSpec;
          return [name, isHalf(dtype) ? tf.castStorage(update, dtype) : update] as const;
        });
        const frozen = namedLeaves<tf.Tensor>(values)
          .filter(([name]) => !names.has(name))
          .map(([name, param]) => [name, tf.zerosLike(param)] as const);
        return { updates: nest([...updates, ...frozen]), state: wrap(next.state) };
      },
    } satisfies UpdateRule;
  };
}

function makeSchedule(
  registry: Registry,
  container: Container,
  { decay_type = 'stair', ...options }: Readonly<Record<string, unknown>>,
  where: string,
  length: RunLength,
): Schedule {
  if (typeof decay_type !== 'string') throw errors.decayType({ where, value: decay_type });
  return registry.create(container, 'schedule', decay_type, options, where)(length);
}

/**
 * The leaves that are trained. Parameters in half precision have gradients, states and updates in float32, until they
 * are updated.
 */
function liveLeaves(
  tree: Params,
  names: ReadonlySet<string>,
  specs: ReadonlyMap<string, TensorSpec>,
): Map<string, tf.Tensor> {
  const found = namedLeaves<tf.Tensor>(tree).filter(([name]) => names.has(name));
  return new Map(
    found.map(([name, x]) => {
      const { dtype } = specs.get(name) as TensorSpec;
      return [name, isHalf(dtype) ? tf.castStorage(x, 'float32') : x];
    }),
  );
}

function isHalf(dtype: DType): dtype is 'bfloat16' | 'float16' {
  return dtype === 'bfloat16' || dtype === 'float16';
}

function clipped(
  grads: ReadonlyMap<string, tf.Tensor>,
  specs: ReadonlyMap<string, TensorSpec>,
  { grad_clip_norm, grad_clip_per_example }: Config,
): ReadonlyMap<string, tf.Tensor> {
  if (!grad_clip_norm) return grads;
  if (grad_clip_per_example) {
    const mean = [...grads].find(([name, grad]) => grad.rank <= (specs.get(name) as TensorSpec).shape.length);
    if (mean) throw errors.perExample({ name: mean[0], shape: mean[1].shape });
  }
  const clip = grad_clip_per_example ? clipByPerExampleGlobalNorm : clipByGlobalNorm;
  const values = clip([...grads.values()], grad_clip_norm);
  return new Map([...grads.keys()].map((name, i) => [name, values[i] as tf.Tensor]));
}
