// The recorded training runs, by the trainer itself on fixed batches.

import { type HostArray, hostArray, sizeOf } from '../../core/array';
import { type Config, configSchema } from '../../core/config/schema';
import { Container } from '../../core/container';
import { Registry } from '../../core/extensions';
import { createHooks } from '../../core/hooks';
import { parseOptions } from '../../core/options';
import { arraySource } from '../../core/parity';
import { type Plugin, registrarFor } from '../../core/plugin';
import { silentProgress } from '../../core/progress';
import { type Runtime, TensorSpec } from '../../core/runtime';
import { type BatchStream, type HostBatch, type InputPipeline, tokens } from '../../core/train/run';
import { train } from '../../core/train/trainer';
import losses from '../../plugins/losses';
import mixup from '../../plugins/mixup';
import optim from '../../plugins/optim';
import schedules from '../../plugins/schedules';
import sharding from '../../plugins/sharding';
import text from '../../plugins/text';
import towers from '../../plugins/towers';
import vit from '../../plugins/vit';
import cappa from '../../proj/cappa';
import distill from '../../proj/distill';
import flexi from '../../proj/flexivit';
import givt from '../../proj/givt';
import gsam from '../../proj/gsam';
import imageText from '../../proj/image_text';
import jet from '../../proj/jet';
import jetformer from '../../proj/jetformer';
import paligemma from '../../proj/paligemma';
import uvim from '../../proj/uvim';
import type { GoldenCase } from './golden';
import { fetchAll } from './runtimes';
import { metricsOf } from './runs';
import { temporaryFolder } from './temporary';

const plugins = [
  losses,
  mixup,
  optim,
  schedules,
  sharding,
  vit,
  text,
  towers,
  cappa,
  distill,
  flexi,
  givt,
  gsam,
  imageText,
  jet,
  jetformer,
  paligemma,
  uvim,
] as unknown as readonly Plugin[];

/** Runs a case's config on its batches: the measurements by step, and the final parameters. */
export async function trainCase(
  runtime: Runtime,
  { args, inputs }: GoldenCase,
  from: { readonly workdir?: string } = {},
): Promise<Map<string, HostArray>> {
  const { input, optax_name, ...rest } = args.config as { input: { batch_size: number }; optax_name: string };
  const named = Object.fromEntries(
    plugins.filter(({ name }) => name in rest).map(({ name }) => [name, rest[name as never]]),
  );
  const stock = Object.fromEntries(Object.entries(rest).filter(([name]) => !(name in named)));
  const config = parseOptions(
    configSchema,
    { ...stock, optax_name, input: { ...input, data: { name: 'fixed' } }, log_training_steps: 1 },
    '',
  ) as Config;

  const container = Container.create();
  const registry = new Registry();
  const hooks = createHooks();
  container.provide(tokens.registry, registry);
  container.provide(tokens.input, fixedBatches(inputs));
  for (const plugin of plugins) {
    plugin.register?.(registrarFor(plugin, registry, container));
    if (plugin.options && plugin.name in named) {
      plugin.apply?.(hooks, parseOptions(plugin.options, named[plugin.name], plugin.name));
    }
  }

  const workdir = from.workdir ?? temporaryFolder();
  const { params } = await train({
    config,
    hooks,
    registry,
    container,
    runtime,
    workdir,
    progress: silentProgress,
  });
  const got = await fetchAll(runtime, params, 'params/');
  const rows = metricsOf(workdir).filter(({ step }) => (step as number) > 0);
  for (const name of Object.keys(rows[0] ?? {})) {
    got.set(
      name,
      hostArray(
        'float32',
        [rows.length],
        rows.map((row) => row[name] as number),
      ),
    );
  }
  const count = [...got].reduce(
    (sum, [name, { shape }]) => sum + (name.startsWith('params/') ? sizeOf(shape) : 0),
    0,
  );
  got.set('num_params', hostArray('int32', [], [count]));
  return got;
}

/** Serves the i-th slice of each recorded array as the i-th batch. */
function fixedBatches(inputs: ReadonlyMap<string, HostArray>): InputPipeline {
  const [first] = [...inputs.values()] as [HostArray];
  const [steps, batch_size] = first.shape as [number, number];
  const source = arraySource(inputs);
  const spec = Object.fromEntries(
    [...inputs].map(([name, { dtype, shape }]) => [name, new TensorSpec(dtype, shape.slice(1))]),
  );
  const batches = (position: number): BatchStream => {
    let next = position;
    return { next: async () => source.get(next++) as HostBatch, close: async () => undefined };
  };
  const opened = { examples: steps * batch_size, spec, batches, close: async () => undefined };
  return {
    train: async () => opened,
    evaluate: () => Promise.reject(new Error('there is nothing to evaluate on')),
  };
}
