// A model beside the one that is trained, such as a teacher. Its parameters come from a checkpoint and never change, so they
// are no part of the train state: programs that use them take them as further arguments, and checkpoints don't hold them.

import { z } from 'zod';
import { modelOptions } from '../config/resolve';
import { configSchema } from '../config/schema';
import type { Batch, Model, ModelResult, Params } from '../extensions';
import { declareParams, initParams } from '../layers/params';
import { type ParamDeclaration, Scope } from '../layers/scope';
import { TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { leaves, nest } from '../tree';
import { loaderOf } from './load';
import { type Run, tokens } from './run';
import { type Shardings, shardingsFrom } from './sharding';
import { paramsToDevice, paramsToHost } from './state';

const { model_name, model, model_init, model_load } = configSchema.shape;

/** A config's fields of one model; `num_classes` is that of the run, unless the model's options have another. */
export const frozenSchema = z.strictObject({
  model_name,
  model,
  model_init: model_init.unwrap(),
  model_load,
});
export type FrozenConfig = z.output<typeof frozenSchema>;

export interface FrozenOptions {
  /** Names the parameters for `sharding_strategy`: `NAME/head/kernel`. */
  readonly name: string;
  /** The config key that holds the model's fields. */
  readonly where: string;
  /** What the model will see. */
  readonly batchSpec: { readonly [name: string]: TensorSpec };
  /** For parameters that the checkpoint doesn't give (`dont_load`). */
  readonly key: tf.random.HostKey;
}

/** A frozen model's forward pass in evaluation mode, traced. For the hook `setup`. */
export async function frozenModel(
  run: Run,
  frozen: FrozenConfig,
  options: FrozenOptions,
): Promise<(batch: Batch) => ModelResult> {
  const { model, params } = await loadFrozen(run, frozen, options);
  return (batch) => model.apply(Scope.reading(params), batch, { train: false });
}

/**
 * A model with the parameters of a checkpoint, for those who use parts of it. For the hook `setup`. Where programs are compiled
 * for devices that aren't here, no checkpoint is read.
 */
export async function loadFrozen(
  { config, container, runtime }: Run,
  frozen: FrozenConfig,
  { name, where, batchSpec, key }: FrozenOptions,
): Promise<{ readonly model: Model; readonly params: Params }> {
  const registry = container.get(tokens.registry);
  const options = modelOptions({ ...config, model: frozen.model });
  const made = registry.create(container, 'model', frozen.model_name, options, `${where}.model`);
  const load = loaderOf(made, frozen, `${where}.model_load`);
  const shardings = shardingsFrom(config.sharding_strategy, { registry, container, mesh: runtime.mesh });
  const shardingOf: Shardings = (leaf, spec) => shardings(`${name}/${leaf}`, spec);
  const declared = declareParams(runtime, made, batchSpec);
  const { placeholder } = runtime;
  if (placeholder) {
    const absent = ({ name, spec: { dtype, shape } }: ParamDeclaration): [string, tf.Tensor] => [
      name,
      placeholder(new TensorSpec(dtype, shape, shardingOf(name, new TensorSpec(dtype, shape)))),
    ];
    return { model: made, params: nest(declared.map(absent)) };
  }
  const initial = initParams(runtime, declared, key);
  const before = await paramsToHost(runtime, initial);
  tf.dispose(leaves<tf.Tensor>(initial));
  const params = paramsToDevice(runtime, await load(before, frozen.model_init), shardingOf);
  return { model: made, params };
}
