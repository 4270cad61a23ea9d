// Our side of bench/vit_step.ts: one JSON object on stdout.

import { hostArray } from '../core/array';
import { configSchema, type Config } from '../core/config/schema';
import type { Batch } from '../core/extensions';
import { createHooks, type TrainState } from '../core/hooks';
import { declareParams, initParams } from '../core/layers/params';
import { TensorSpec } from '../core/runtime';
import * as tf from '../core/tensor';
import { type Run, tokens } from '../core/train/run';
import { makeState } from '../core/train/state';
import { buildStep, stepFunction } from '../core/train/step';
import { nest } from '../core/tree';
import { openSession } from '../core/workspace/session';

const [variant = 'Ti/16', ...sizes] = process.argv.slice(2);
const [resolution = 224, batch_size = 8, steps = 15] = sizes.map(Number);
const classes = 1000;

/** numpy's RandomState(0).uniform isn't worth having here: any fixed image does. */
function images(): Float32Array {
  let state = 1;
  return Float32Array.from({ length: batch_size * resolution * resolution * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function main(): Promise<void> {
  const { registry, container } = openSession(__dirname);
  const config = configSchema.parse({
    input: { data: { name: 'none' }, batch_size },
    total_steps: 1000,
    model_name: 'vit',
    optax_name: 'scale_by_adam',
    lr: 1e-3,
    wd: 1e-4,
    grad_clip_norm: 1,
    schedule: { decay_type: 'cosine', warmup_steps: 10 },
  }) as Config;
  const runtime = await registry.create(container, 'runtime', 'xla', {}, 'runtime')({});
  container.provide(tokens.runtime, runtime);
  const options = { num_classes: classes, variant, pool_type: 'gap', posemb: 'sincos2d', rep_size: true };
  const Module = require('node:module');
  const orig = Module._resolveFilename;
  Module._resolveFilename = function (r: string, ...rest: unknown[]) {
    return r === './checkpoint' ? '/tmp/w/checkpoint-stub.js' : orig.call(this, r, ...rest);
  };
  const { vit } = require('../plugins/vit/model');
  const { vitOptions } = require('../plugins/vit/options');
  const model = vit(vitOptions.parse(options));
  const loss = registry.create(container, 'loss', 'softmax_xent', {}, 'loss');
  const declared = declareParams(runtime, model, {
    image: new TensorSpec('float32', [batch_size, resolution, resolution, 3]),
    labels: new TensorSpec('float32', [batch_size, classes]),
  });
  const params = nest(declared.map(({ name, spec }) => [name, spec] as const));
  const length = { total_steps: 1000, batch_size, data_size: 100_000 };
  const update = container.get(tokens.updateRule)(config, params, length);
  const run: Run = { config, container, runtime, length, model, update, params, note: () => undefined };
  const initial = initParams(runtime, declared, tf.random.key(0));
  let state: TrainState = makeState(
    runtime,
    initial,
    update,
    () => ({}),
    () => [],
  );

  const labels = Float32Array.from({ length: batch_size * classes }, (_, i) =>
    i % classes === Math.floor(i / classes) ? 1 : 0,
  );
  const batch: Batch = {
    image: runtime.toDevice(hostArray('float32', [batch_size, resolution, resolution, 3], images())),
    labels: runtime.toDevice(hostArray('float32', [batch_size, classes], labels)),
  };
  const key = runtime.toDevice(tf.random.keyArray(tf.random.key(1)));
  const program = runtime.jit(stepFunction(buildStep(createHooks(), run, loss)), {
    name: 'train step',
    donate: [0],
    static: [3],
  });
  const specs = (tree: object) => tree;
  const compiled = program.compile(specs(state), specs(batch), key, {});
  if (process.env.DUMP) require('node:fs').writeFileSync(process.env.DUMP, compiled.text!);

  const losses: number[] = [];
  const step_ms: number[] = [];
  const host_ms: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    const result = program(state, batch, key, {});
    host_ms.push(performance.now() - start);
    state = result.state;
    losses.push((await runtime.toHost(result.metrics.training_loss as tf.Tensor)).data[0] as number);
    step_ms.push(performance.now() - start);
    tf.dispose(Object.values(result.metrics));
  }
  const peak_mb = process.resourceUsage().maxRSS / 1024;
  const { traceSeconds: trace_s, compileSeconds: compile_s, flops, memory } = compiled;
  process.stdout.write(
    `${JSON.stringify({ trace_s, compile_s, flops, memory, step_ms, host_ms, losses, peak_mb })}\n`,
  );
  await runtime.dispose();
}

void main();
