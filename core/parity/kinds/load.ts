// Loading of checkpoints: what a model makes of a file that lies beside the case.

import { join } from 'node:path';
import { type HostArray, hostArray, sizeOf } from '../../array';
import { parseCheckpointPath } from '../../checkpoint/load-params';
import type { Batch, Model, ParamArrays, Params } from '../../extensions';
import { toFloat32 } from '../../half';
import { Scope } from '../../layers/scope';
import { namedLeaves, nest, type NestedRecord, type Tree } from '../../tree';
import type { ParityOutputs, ParityRunner } from '../case';
import { failure, outcomesOf } from '../outcomes';
import { arraysBeside, arraysUnder } from '../read';
import { fetchAll, registeredName, sendAll } from '../tensors';

interface LoadArgs {
  /** The model's own arguments. */
  readonly model: object;
  /** Relative to the case's folder; a subtree may be named behind a colon. */
  readonly init_file: string;
  readonly dont_load?: readonly string[];
  /** Of initial parameters that are zeros. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Arguments of the model's call. */
  readonly [argument: string]: unknown;
}

/**
 * `MODEL:load`. Inputs: the call's, and initial parameters under `init`. Outputs: `params/...` and their `names`, and the
 * `logits` with them; `error` where loading fails.
 */
export const loadRunner: ParityRunner = async (recorded, services) => {
  const { name, args, folder, inputs, wanted } = recorded;
  const { model: options, init_file, dont_load = [], shapes = {}, ...call } = args as unknown as LoadArgs;
  const registered = registeredName(name.slice(0, name.lastIndexOf(':')));
  const model = services.registry.create(services.container, 'model', registered, options, 'args.model');
  if (!model.load) throw new Error(`the model "${registered}" loads no files`);
  const zeros = Object.entries(shapes).map(([name, shape]) => [name, zerosOf(shape)] as const);
  const init = { ...arraysUnder(inputs, 'init'), ...nest(zeros) };
  let loaded: ParamArrays;
  try {
    loaded = await model.load(init, join(folder, init_file), { dont_load });
  } catch (error) {
    return new Map([['error', JSON.stringify(failure(error))]]);
  }
  const params = namedLeaves<HostArray>(loaded as Tree<HostArray>);
  const found = params.map(([name, array]) => [`params/${name}`, toFloat32(array)] as const);
  return new Map<string, HostArray | string>([
    ...found,
    ['names', found.map(([name]) => name).join('\n')],
    ...(wanted.has('logits') ? await logitsOf(model, loaded) : []),
  ]);

  async function logitsOf(model: Model, loaded: ParamArrays): Promise<ParityOutputs> {
    const { runtime } = services;
    const forward = (params: Params, batch: Batch) => ({
      logits: model.apply(Scope.reading(params), batch, { train: false, ...call }).output,
    });
    const batch = sendAll(runtime, Object.fromEntries(arraysBeside(inputs, 'init'))) as Batch;
    const params = sendAll(runtime, loaded as NestedRecord<HostArray>);
    return fetchAll(runtime, runtime.jit(forward, { name: `parity ${name}` })(params, batch));
  }
};

const zerosOf = (shape: readonly number[]) => hostArray('float32', shape, new Float32Array(sizeOf(shape)));

/** File and subtree of paths of checkpoints. */
export const pathRunner: ParityRunner = async ({ args }) => {
  const split = (path: string) => {
    const { file, key = null } = parseCheckpointPath(path);
    return [file, key];
  };
  return new Map([['result', outcomesOf(args.paths as readonly string[], split)]]);
};
