// Optimizers: parameters after each of some steps with recorded gradients.

import { type HostArray, hostArray } from '../../array';
import { type Config, configSchema } from '../../config/schema';
import type { Params, RunLength } from '../../extensions';
import { parseOptions } from '../../options';
import { TensorSpec } from '../../runtime';
import * as tf from '../../tensor';
import { tokens } from '../../train/run';
import { firstMatches, mapNamed, zipNamed } from '../../tree';
import type { ParityRunner } from '../case';
import { arraysUnder } from '../read';
import { fetchAll, sendAll } from '../tensors';

/** What a config has to say that says nothing of optimizers. */
const rest = { model_name: 'none', input: { data: { name: 'none' }, batch_size: 1 } };

export const optimizerRunner: ParityRunner = async ({ args, inputs }, { runtime, container }) => {
  const { config, sched_kw, steps } = args as unknown as {
    config: object;
    sched_kw: RunLength;
    steps: number;
  };
  const initial = arraysUnder(inputs, 'params');
  const specs = mapNamed<HostArray, TensorSpec>(
    initial,
    (_, { dtype, shape }) => new TensorSpec(dtype, shape),
  );
  const whole = parseOptions(configSchema, { ...rest, ...config }, '') as Config;
  const rule = container.get(tokens.updateRule)(whole, specs, sched_kw);
  const update = runtime.jit(
    (grads: Params, state: Params, params: Params, step: tf.Tensor) => {
      const next = rule.update(grads, state, params, step);
      return { params: zipNamed([params, next.updates], (p, u) => tf.add(p, u)), state: next.state };
    },
    { name: 'parity update' },
  );
  let params = sendAll(runtime, initial);
  let state = runtime.jit((p: Params) => rule.init(p), { name: 'parity init' })(params);
  const found = new Map<string, HostArray>();
  for (let step = 0; step < steps; step++) {
    const grads = sendAll(runtime, arraysUnder(inputs, `grads/${step}`));
    ({ params, state } = update(grads, state, params, runtime.toDevice(hostArray('int32', [], [step]))));
    for (const [name, array] of await fetchAll(runtime, params, `params/${step}/`)) found.set(name, array);
  }
  rule.schedules.forEach((schedule, i) => {
    const rates = Array.from({ length: steps }, (_, step) => schedule.at(step));
    found.set(`schedule/${i}`, hostArray('float32', [steps], rates));
  });
  return found;
};

/** For each pattern which names it is the first to match whole. */
export const masksRunner: ParityRunner = async ({ args }) => {
  const { names, patterns } = args as { names: string[]; patterns: string[] };
  const first = firstMatches(names, patterns);
  const masks = patterns.flatMap((_, i) => first.map((match) => Number(match === i)));
  return new Map([['masks', hostArray('uint8', [patterns.length, names.length], masks)]]);
};
