// A ViT's train step over fixed data, as the benchmarks of our side run it.

import { hostArray } from '../../core/array';
import { configSchema, type Config } from '../../core/config/schema';
import type { Batch } from '../../core/extensions';
import { createHooks, type TrainState } from '../../core/hooks';
import { declareParams, initParams } from '../../core/layers/params';
import { type Runtime, TensorSpec } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { type Run, tokens } from '../../core/train/run';
import { makeState } from '../../core/train/state';
import { buildStep, stepFunction } from '../../core/train/step';
import { nest } from '../../core/tree';
import { openSession } from '../../core/workspace/session';

const classes = 1000;

export interface VitStepOptions {
  /** Options of the model beside those of the original's ImageNet configs. */
  readonly model: Readonly<Record<string, unknown>>;
  readonly resolution: number;
  readonly batchSize: number;
}

/** numpy's RandomState(0).uniform isn't worth having here: any fixed image does. */
function noise(size: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The step as the trainer compiles it, and what its first call gets. */
export async function vitStep({ model: modelOptions, resolution, batchSize }: VitStepOptions) {
  const { registry, container } = openSession(__dirname);
  const config = configSchema.parse({
    input: { data: { name: 'none' }, batch_size: batchSize },
    total_steps: 1000,
    model_name: 'vit',
    optax_name: 'scale_by_adam',
    lr: 1e-3,
    wd: 1e-4,
    grad_clip_norm: 1,
    schedule: { decay_type: 'cosine', warmup_steps: 10 },
  }) as Config;
  const runtime: Runtime = await registry.create(container, 'runtime', 'xla', {}, 'runtime')({});
  container.provide(tokens.runtime, runtime);
  const options = {
    num_classes: classes,
    pool_type: 'gap',
    posemb: 'sincos2d',
    rep_size: true,
    ...modelOptions,
  };
  const model = registry.create(container, 'model', 'vit', options, 'model');
  const loss = registry.create(container, 'loss', 'softmax_xent', {}, 'loss');
  const imageShape = [batchSize, resolution, resolution, 3];
  const batchSpec = {
    image: new TensorSpec('float32', imageShape),
    labels: new TensorSpec('float32', [batchSize, classes]),
  };
  const declared = declareParams(runtime, model, batchSpec);
  const params = nest(declared.map(({ name, spec }) => [name, spec] as const));
  const length = { total_steps: 1000, batch_size: batchSize, data_size: 100_000 };
  const update = container.get(tokens.updateRule)(config, params, length);
  const note = () => undefined;
  const run: Run = { config, container, runtime, length, model, update, params, variables: {}, batchSpec, note };
  const state: TrainState = makeState(
    run,
    initParams(runtime, declared, tf.random.key(0)),
    () => ({}),
    () => [],
  );
  const labels = Float32Array.from({ length: batchSize * classes }, (_, i) =>
    i % classes === Math.floor(i / classes) ? 1 : 0,
  );
  const size = imageShape.reduce((product, n) => product * n, 1);
  const batch: Batch = {
    image: runtime.toDevice(hostArray('float32', imageShape, noise(size))),
    labels: runtime.toDevice(hostArray('float32', [batchSize, classes], labels)),
  };
  const key = runtime.toDevice(tf.random.keyArray(tf.random.key(1)));
  const program = runtime.jit(stepFunction(buildStep(createHooks(), run, loss)), {
    name: 'train step',
    donate: [0],
    static: [3],
  });
  return { run, runtime, program, state, batch, key, parameters: declared.length };
}
