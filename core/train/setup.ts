// From a checked config to what training and evaluation both need: input, model, loss, update rule, shardings.

import type { Config } from '../config/schema';
import { modelOptions } from '../config/resolve';
import type { Container } from '../container';
import { catalogue } from '../errors';
import type { Batch, Loss, Model, ParamArrays, Params, Registry, RunLength } from '../extensions';
import { checkOrder, type TrainerHooks } from '../hooks';
import { constant } from '../layers/init';
import { declareParams, initParams } from '../layers/params';
import type { ParamDeclaration } from '../layers/scope';
import type { Progress } from '../progress';
import { batchParts, batchSharding, type Runtime, TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { leaves, mapTree, nest, subtree } from '../tree';
import { describeLoad, loaderOf } from './load';
import { type HostBatch, type OpenedInput, type Run, tokens } from './run';
import { type Shardings, shardingsFrom } from './sharding';
import { paramsToDevice, paramsToHost } from './state';
import { stepsOf } from './steps';
import { variablesPlace } from './variables';

export interface SetupOptions {
  /** Checked and complete: see `resolveConfig`. */
  readonly config: Config;
  /** Tapped by the plugins that the config names. */
  readonly hooks: TrainerHooks;
  readonly registry: Registry;
  readonly container: Container;
  readonly runtime: Runtime;
  readonly workdir?: string;
  readonly progress: Progress;
}

export interface Setup {
  readonly run: Run;
  /** Training data. */
  readonly input: OpenedInput;
  readonly loss: Loss;
  readonly shardings: Shardings;
  /** The key (int32 [2]) from which the step's keys are folded. */
  readonly loopKey: tf.Tensor;
  /** A batch split over all devices along its first axis. */
  batchToDevice(batch: HostBatch): Batch;
  /** Parameters, and variables among them, by their initialisers, `model_init` and the hook `init`. */
  initialParams(): Promise<Params>;
}

const errors = catalogue('train', {
  batchSize: (v: { batch_size: number; devices: number }) => ({
    what: `input.batch_size is ${v.batch_size}, which doesn't divide over ${v.devices} devices.`,
    fix: `set it to ${Math.max(1, Math.floor(v.batch_size / v.devices)) * v.devices} or ${Math.ceil(v.batch_size / v.devices) * v.devices}.`,
  }),
  noLength: () => ({
    what: 'The config gives no length of the run.',
    fix: 'set one of total_steps, total_epochs, total_examples.',
  }),
});

export async function setUp(options: SetupOptions): Promise<Setup> {
  const { config, hooks, registry, container, runtime, workdir, progress } = options;
  container.provide(tokens.runtime, runtime);
  container.provide(tokens.registry, registry);
  checkOrder(hooks);

  // ---- Input -------------------------------------------------------------------------------------------------------
  const { batch_size } = config.input;
  const devices = batchParts(runtime.mesh);
  if (batch_size % devices !== 0) throw errors.batchSize({ batch_size, devices });
  const split = batchSharding(runtime.mesh);
  const rows = runtime.rowsHere(batch_size, split);
  const input = await container.get(tokens.input).train(config.input, config.seed, rows);
  const data_size = input.examples;
  const total_steps = stepsOf('total', config, { batch_size, data_size }, undefined);
  if (total_steps === undefined) throw errors.noLength();
  const length: RunLength = { total_steps, batch_size, data_size };
  const batchSpec = mapTree<TensorSpec, TensorSpec, Record<string, TensorSpec>>(
    { ...input.spec },
    ({ dtype, shape }) => new TensorSpec(dtype, shape, split),
  );

  // ---- Model, loss, update -----------------------------------------------------------------------------------------
  const note = (text: string) => progress.note(text);
  const scaffold = { config, container, runtime, workdir, length, note };
  const stock: Model = registry.create(container, 'model', config.model_name, modelOptions(config), 'model');
  const model = hooks.model.call(stock, scaffold as Run);
  const loss = registry.create(container, 'loss', config.loss, config.loss_options, 'loss_options');
  const declared = declareParams(runtime, model, batchSpec).map((declaration) =>
    config.init_head_bias !== undefined && declaration.name === 'head/bias'
      ? { ...declaration, init: constant(config.init_head_bias) }
      : declaration,
  );
  const specsOf = (stream: ParamDeclaration['stream']) =>
    nest(declared.filter((leaf) => leaf.stream === stream).map(({ name, spec }) => [name, spec] as const));
  const params = specsOf('params');
  const variables = specsOf('state');
  const update = container.get(tokens.updateRule)(config, params, length);
  const run: Run = { ...scaffold, model, update, params, variables, batchSpec };
  const shardings = shardingsFrom(config.sharding_strategy, { registry, container, mesh: runtime.mesh });
  const ofModel: Shardings = (name, spec) =>
    shardings(subtree<TensorSpec>(variables, name) ? `${variablesPlace}/${name}` : `params/${name}`, spec);
  const [initKey, loopKey] = runKeys(config.seed);

  const replace = async (params: Params, change: (params: ParamArrays) => Promise<ParamArrays>) => {
    const before = await paramsToHost(runtime, params);
    tf.dispose(leaves(params));
    return paramsToDevice(runtime, await change(before), ofModel);
  };
  await hooks.setup.promise(run);
  return {
    run,
    input,
    loss,
    shardings,
    loopKey: runtime.toDevice(tf.random.keyArray(loopKey)),
    batchToDevice: (batch) => {
      const named = Object.entries(batch);
      return Object.fromEntries(
        named.map(([name, array]) => [name, runtime.rowsToDevice(array, batch_size, split)]),
      );
    },
    async initialParams() {
      let made = initParams(runtime, declared, initKey, ofModel);
      const { model_init: from } = config;
      if (from) {
        const load = loaderOf(model, config);
        let loaded = '';
        made = await replace(made, async (before) => {
          const after = await load(before, from);
          loaded = describeLoad(before, after);
          return after;
        });
        note(`From ${typeof from === 'string' ? from : Object.values(from).join(', ')}: ${loaded}.`);
      }
      if (hooks.init.isUsed()) made = await replace(made, (before) => hooks.init.promise(before, run));
      return made;
    },
  };
}

/** The original's derivation: the seed's key, split for init, what remains split for the loop. */
function runKeys(seed: number): [init: tf.random.HostKey, loop: tf.random.HostKey] {
  const [rest, init] = tf.random.split(tf.random.key(seed), 2) as [tf.random.HostKey, tf.random.HostKey];
  const [, loop] = tf.random.split(rest, 2) as [tf.random.HostKey, tf.random.HostKey];
  return [init, loop];
}
