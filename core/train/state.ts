// The train state: what its leaves are, where they live, how they are made and how they come back from a checkpoint.

import { type ArraySpec, describeSpec, type HostArray } from '../array';
import type { Archive } from '../checkpoint/archive';
import type { ArrayPart } from '../checkpoint/parts';
import { catalogue } from '../errors';
import type { ExtraFn, TrainState } from '../hooks';
import { type PartitionSpec, type Runtime, ShardingLeaf, TensorSpec } from '../runtime';
import type { ParamArrays, Params } from '../extensions';
import * as tf from '../tensor';
import { leaves, mapNamed, namedLeaves, nest, type NestedRecord } from '../tree';
import type { Run } from './run';
import type { Shardings } from './sharding';
import { named, variablesPlace } from './variables';

const errors = catalogue('state', {
  mismatch: (v: { checkpoint: string; missing: string[]; unexpected: string[]; changed: string[] }) => ({
    what:
      `The checkpoint ${v.checkpoint} is of another model or optimizer:` +
      [
        ...v.missing.map((name) => `\n - missing there: ${name}`),
        ...v.unexpected.map((name) => `\n + only there: ${name}`),
        ...v.changed.map((text) => `\n ! ${text}`),
      ]
        .slice(0, 12)
        .join(''),
    fix: 'resume with the config that wrote it, or start in a new workdir with model_init for the parameters alone.',
  }),
});

/** What the state of a run consists of beside its parameters, as a traced function of them. */
function stateMaker({ update }: Run, extraFn: ExtraFn) {
  return (params: Params) => ({
    opt: update.init(params),
    extra: extraFn(params),
    step: tf.scalar(0, 'int32') as tf.Tensor,
  });
}

/** Every leaf of the train state with its shape and sharding, without making any. */
export function stateSpecs(
  run: Run,
  extraFn: ExtraFn,
  shardings: Shardings,
): [name: string, spec: TensorSpec][] {
  const { params, variables, runtime } = run;
  const { extra, ...made } = runtime.evalShape(stateMaker(run, extraFn), params) as unknown as StateSpecs;
  const all = namedLeaves<TensorSpec>({ params, ...made, extra: { ...extra, variables } });
  return all.map(([name, spec]) => [name, new TensorSpec(spec.dtype, spec.shape, shardings(name, spec))]);
}

interface StateSpecs {
  readonly extra: NestedRecord<TensorSpec>;
  readonly [more: string]: NestedRecord<TensorSpec>;
}

/**
 * Makes the optimizer's state and `extra` on the device(s), already sharded.
 * @param initial parameters and variables
 */
export function makeState(run: Run, initial: Params, extraFn: ExtraFn, shardings: Shardings): TrainState {
  const { runtime } = run;
  const params = named(initial, run.params);
  const specs = stateSpecs(run, extraFn, shardings).filter(
    ([name]) => !name.startsWith('params/') && !name.startsWith(`${variablesPlace}/`),
  );
  const outShardings = nest(specs.map(([name, { sharding }]) => [name, new ShardingLeaf(sharding)] as const));
  const made = runtime.jit(stateMaker(run, extraFn), { name: 'init state', outShardings })(params);
  if (leaves(run.variables).length === 0) return { params, ...made };
  return { params, ...made, extra: { ...made.extra, variables: named(initial, run.variables) } };
}

/** The leaves of the state in host memory, by name; resolves when they are computed. */
export async function stateToHost(
  runtime: Runtime,
  state: TrainState,
): Promise<[name: string, array: HostArray][]> {
  const named = namedLeaves<tf.Tensor>({ ...state });
  return Promise.all(
    named.map(async ([name, tensor]) => [name, await runtime.toHost(tensor)] as [string, HostArray]),
  );
}

/** This process's parts of the leaves, where several have the state together. */
export async function stateParts(runtime: Runtime, state: TrainState): Promise<ArrayPart[]> {
  const parts = namedLeaves<tf.Tensor>({ ...state }).map(async ([name, tensor]) =>
    (await runtime.blocksToHost(tensor)).map((block) => ({ name, ...block })),
  );
  return (await Promise.all(parts)).flat();
}

/** Reads an array onto the device(s): no more of it than this process's devices hold, where the form allows it. */
export async function readToDevice(
  runtime: Runtime,
  archive: Archive,
  name: string,
  sharding: PartitionSpec,
): Promise<tf.Tensor> {
  const { shape } = await archive.describe(name);
  return runtime.blocksToDevice(
    await archive.readBlocks(name, runtime.blocksHere(shape, sharding)),
    sharding,
  );
}

/** Reads a checkpoint's arrays to where the specs of a new state say. One array at a time is in host memory. */
export async function restoreState(
  runtime: Runtime,
  specs: readonly (readonly [name: string, spec: TensorSpec])[],
  checkpoint: Archive,
): Promise<TrainState> {
  const arrays = new Map<string, ArraySpec>();
  for (const name of checkpoint.names) {
    const { type, shape } = await checkpoint.describe(name);
    arrays.set(name, { dtype: type.dtype, shape });
  }
  const expected = new Map(specs);
  // The optimizer's state repeats what is wrong with the parameters, so those go first.
  const paramsFirst = [...specs].sort(
    ([a], [b]) => Number(b.startsWith('params/')) - Number(a.startsWith('params/')),
  );
  const missing = paramsFirst.filter(([name]) => !arrays.has(name)).map(([name]) => name);
  const unexpected = [...arrays.keys()].filter((name) => !expected.has(name));
  const changed = paramsFirst.flatMap(([name, spec]) => {
    const array = arrays.get(name);
    if (!array || describeSpec(array) === describeSpec(spec)) return [];
    return [`${name} is ${describeSpec(array)}, expected ${describeSpec(spec)}`];
  });
  if (missing.length + unexpected.length + changed.length > 0) {
    throw errors.mismatch({ checkpoint: checkpoint.path, missing, unexpected, changed });
  }
  const restored: [string, tf.Tensor][] = [];
  for (const [name, spec] of specs)
    restored.push([name, await readToDevice(runtime, checkpoint, name, spec.sharding)]);
  // Empty subtrees have no leaves to restore.
  return { params: {}, opt: {}, extra: {}, ...nest(restored) } as unknown as TrainState;
}

/** Host copies of parameters as a tree. */
export async function paramsToHost(runtime: Runtime, params: Params): Promise<ParamArrays> {
  const named = await Promise.all(
    namedLeaves<tf.Tensor>(params).map(
      async ([name, tensor]) => [name, await runtime.toHost(tensor)] as const,
    ),
  );
  return nest(named);
}

/** Parameters from host memory, sharded by their names. */
export function paramsToDevice(runtime: Runtime, params: ParamArrays, shardings: Shardings): Params {
  return mapNamed<HostArray, tf.Tensor>(params, (name, array) =>
    runtime.toDevice(array, shardings(name, new TensorSpec(array.dtype, array.shape))),
  );
}
