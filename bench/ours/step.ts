// A train step over fixed data, as the benchmarks of our side run it.

import { type HostArray, hostArray, sizeOf } from '../../core/array';
import { configSchema, type Config } from '../../core/config/schema';
import type { Batch } from '../../core/extensions';
import { createHooks, type TrainState } from '../../core/hooks';
import { declareParams, initParams } from '../../core/layers/params';
import { type Runtime, TensorSpec } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { type Run, tokens as services } from '../../core/train/run';
import { makeState } from '../../core/train/state';
import { buildStep, jitStep } from '../../core/train/step';
import { nest } from '../../core/tree';
import { applyPlugins, openSession } from '../../core/workspace/session';

/** An entry of jobs.json. */
export interface Job {
  /** As configs name it. */
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Shapes of the batch: of images with one of so many classes, or with a text. */
  readonly image: readonly number[];
  readonly classes?: number;
  readonly text?: readonly number[];
}

/** numpy's RandomState(0).uniform isn't worth having here: any fixed image does. */
function noise(size: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const tokens = (size: number) => Int32Array.from({ length: size }, (_, i) => (i % 999) + 1);

const oneHot = (batch: number, classes: number) =>
  Float32Array.from({ length: batch * classes }, (_, i) => (i % classes === Math.floor(i / classes) ? 1 : 0));

/** The step as the trainer compiles it, and what its first call gets. */
export async function trainStep({ model: name, options, image, classes = 0, text }: Job) {
  const batchSize = image[0]!;
  const { registry, container, plugins } = openSession(__dirname);
  const config = configSchema.parse({
    input: { data: { name: 'none' }, batch_size: batchSize },
    total_steps: 1000,
    model_name: name,
    optax_name: 'scale_by_adam',
    lr: 1e-3,
    wd: 1e-4,
    grad_clip_norm: 1,
    schedule: { decay_type: 'cosine', warmup_steps: 10 },
  }) as Config;
  const runtime: Runtime = await registry.create(container, 'runtime', 'xla', {}, 'runtime')({});
  container.provide(services.runtime, runtime);
  const model = registry.create(container, 'model', name, options, 'model');
  const loss = registry.create(container, 'loss', 'softmax_xent', {}, 'loss');
  const arrays: Record<string, HostArray> = {
    image: hostArray('float32', image, noise(sizeOf(image))),
    ...(text
      ? { labels: hostArray('int32', text, tokens(sizeOf(text))) }
      : { labels: hostArray('float32', [batchSize, classes], oneHot(batchSize, classes)) }),
  };
  const batchSpec = Object.fromEntries(
    Object.entries(arrays).map(([key, { dtype, shape }]) => [key, new TensorSpec(dtype, shape)]),
  );
  const declared = declareParams(runtime, model, batchSpec);
  const params = nest(declared.map(({ name, spec }) => [name, spec] as const));
  const length = { total_steps: 1000, batch_size: batchSize, data_size: 100_000 };
  const update = container.get(services.updateRule)(config, params, length);
  const hooks = createHooks();
  applyPlugins(plugins, text ? { image_text: { loss: 'sigmoid' } } : {}, hooks);
  const note = () => undefined;
  const run: Run = {
    config,
    container,
    runtime,
    length,
    model,
    update,
    params,
    variables: {},
    batchSpec,
    note,
  };
  const state: TrainState = makeState(
    run,
    initParams(runtime, declared, tf.random.key(0)),
    () => ({}),
    () => [],
  );
  const batch: Batch = Object.fromEntries(
    Object.entries(arrays).map(([key, array]) => [key, runtime.toDevice(array)]),
  );
  const key = runtime.toDevice(tf.random.keyArray(tf.random.key(1)));
  const program = jitStep(runtime, buildStep(hooks, run, loss));
  return { run, runtime, program, state, batch, key, parameters: declared.length };
}
