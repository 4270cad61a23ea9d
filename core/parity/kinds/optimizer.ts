// Optimizers: parameters after each of some steps with recorded gradients, and the state that they leave.

import { type HostArray, hostArray } from '../../array';
import { type Config, configSchema } from '../../config/schema';
import type { Params, RunLength } from '../../extensions';
import { toFloat32 } from '../../half';
import { parseOptions } from '../../options';
import { TensorSpec } from '../../runtime';
import * as tf from '../../tensor';
import { tokens } from '../../train/run';
import { firstMatches, mapNamed, type NestedRecord, zipNamed } from '../../tree';
import type { ParityCase, ParityRunner, ParityServices } from '../case';
import { outcomesOf } from '../outcomes';
import { arraysUnder } from '../read';
import { fetchAll, sendAll } from '../tensors';

/** What a config has to say that says nothing of optimizers. */
const rest = { model_name: 'none', input: { data: { name: 'none' }, batch_size: 1 } };

interface OptimizerArgs {
  readonly config: object;
  readonly sched_kw: RunLength;
  readonly steps: number;
}

function ruleOf(
  config: object,
  params: NestedRecord<HostArray>,
  length: RunLength,
  { container }: ParityServices,
) {
  const specs = mapNamed<HostArray, TensorSpec>(
    params,
    (_, { dtype, shape }) => new TensorSpec(dtype, shape),
  );
  const whole = parseOptions(configSchema, { ...rest, ...config }, '') as Config;
  return container.get(tokens.updateRule)(whole, specs, length);
}

/**
 * The rule of a case, and parameters and state after each of its steps. They are taken op by op, as they were recorded: a
 * program, which XLA makes of a whole step, leaves out that products with a bfloat16 are rounded to bfloat16. Cases that
 * say `jit` were recorded as a program, and are run as one.
 */
function trajectoryOf({ args, inputs, jit }: ParityCase, services: ParityServices) {
  const { config, sched_kw, steps } = args as unknown as OptimizerArgs;
  const initial = arraysUnder(inputs, 'params');
  const rule = ruleOf(config, initial, sched_kw, services);
  return { rule, steps, states: statesOf() };

  async function* statesOf() {
    const { runtime } = services;
    const byOp = (grads: Params, state: Params, params: Params, step: tf.Tensor) => {
      const next = rule.update(grads, state, params, step);
      return { params: zipNamed([params, next.updates], (p, u) => tf.add(p, u)), state: next.state };
    };
    const update = jit ? runtime.jit(byOp, { name: 'parity update' }) : byOp;
    let params = sendAll(runtime, initial);
    let state = runtime.jit((p: Params) => rule.init(p), { name: 'parity init' })(params);
    for (let step = 0; step < steps; step++) {
      const grads = sendAll(runtime, arraysUnder(inputs, `grads/${step}`));
      ({ params, state } = update(grads, state, params, runtime.toDevice(hostArray('int32', [], [step]))));
      yield { step, params, state };
    }
  }
}

export const optimizerRunner: ParityRunner = async (recorded, services) => {
  const found = new Map<string, HostArray>();
  const { rule, steps, states } = trajectoryOf(recorded, services);
  for await (const { step, params } of states) {
    for (const [name, array] of await fetchAll(services.runtime, params, `params/${step}/`))
      found.set(name, array);
  }
  rule.schedules.forEach((schedule, i) => {
    const rates = Array.from({ length: steps }, (_, step) => schedule.at(step));
    found.set(`schedule/${i}`, hostArray('float32', [steps], rates));
  });
  return found;
};

/** `state/FIELD/PARAMETER` after the last step, and `dtypes`, without counts. */
export const stateRunner: ParityRunner = async (recorded, services) => {
  const found = new Map<string, HostArray | string>();
  let last: Params = {};
  for await (const { state } of trajectoryOf(recorded, services).states) last = state;
  const dtypes: Record<string, string> = {};
  for (const [name, array] of await fetchAll(services.runtime, last)) {
    // The first part is the transform's name.
    const [, field, ...parameter] = name.split('/');
    if (field === 'count') continue;
    const entry = [field, ...parameter].join('/');
    dtypes[entry] = array.dtype;
    found.set(`state/${entry}`, toFloat32(array));
  }
  return found.set('dtypes', JSON.stringify(dtypes));
};

/** Which of `configs` are refused. */
export const errorsRunner: ParityRunner = async ({ args, inputs }, services) => {
  const initial = arraysUnder(inputs, 'params');
  const make = (config: object) => {
    ruleOf(config, initial, args.sched_kw as RunLength, services);
    return 'ok';
  };
  return new Map([['result', outcomesOf(args.configs as readonly object[], make)]]);
};

/** For each pattern which names it is the first to match whole. */
export const masksRunner: ParityRunner = async ({ args }) => {
  const { names, patterns } = args as { names: string[]; patterns: string[] };
  const first = firstMatches(names, patterns);
  const masks = patterns.flatMap((_, i) => first.map((match) => Number(match === i)));
  return new Map([['masks', hostArray('uint8', [patterns.length, names.length], masks)]]);
};
