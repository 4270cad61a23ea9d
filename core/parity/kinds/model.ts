// Models: outputs, intermediates, and gradients of a loss, for recorded parameters.

import type { HostArray } from '../../array';
import type { Batch, CallOptions, Model, ModelResult, Params } from '../../extensions';
import { initParams } from '../../layers/params';
import { type ParamDeclaration, type RngStreams, Scope } from '../../layers/scope';
import { TensorSpec } from '../../runtime';
import * as tf from '../../tensor';
import { valueAndGrad } from '../../train/gradients';
import { mapNamed, mapTree, namedLeaves, nest, type NestedRecord, type Tree } from '../../tree';
import type { ParityCase, ParityRunner, ParityServices } from '../case';
import { arraysBeside, arraysUnder } from '../read';
import { fetchAll, registeredName, sendAll } from '../tensors';

/** A scalar to differentiate that isn't a loss of logits and labels. Traced. */
export type ScalarOf = (result: ModelResult, batch: Batch) => tf.Tensor;

type Call = (model: Model, ...args: Parameters<Model['apply']>) => ModelResult;

export interface ModelParity {
  /** By the names that the cases' `loss` has. */
  readonly losses?: Readonly<Record<string, ScalarOf>>;
  /** What cases call beside the model itself, by the original's names of methods. Traced. */
  readonly methods?: Readonly<Record<string, Call>>;
  /** Outputs beside `output`, `out/...`, and those named in `pair`. Traced. */
  readonly outputs?: (result: ModelResult, batch: Batch) => Readonly<Record<string, tf.Tensor>>;
}

/** Of streams that a case doesn't name: those that nothing is drawn from, or the original's tests' seeds. */
const defaultSeeds = { dropout: 0, vqvae: 0 };

/** What the cases call the parts of an output that is a pair. */
const pair = ['zimg', 'ztxt'];

/** Runs a model from the registry. Plugins whose cases have other losses or outputs make their runner with it. */
export function modelRunner({ losses = {}, methods = {}, outputs }: ModelParity = {}): ParityRunner {
  return async (recorded, services) => {
    const { runtime, registry, container } = services;
    const { name, args, call: { method = '__call__', kwargs, rngs } = {} } = recorded;
    const model = registry.create(container, 'model', registeredName(name), args, 'args');
    const called = method === '__call__' ? model.apply : methods[method]?.bind(undefined, model);
    if (!called) throw new Error(`no rule for calling the method "${method}" of ${name}`);
    const call: CallOptions = { train: false, ...kwargs };
    const inputs = Object.fromEntries(arraysBeside(recorded.inputs, 'params', 'state'));
    const batch = sendAll(runtime, inputs) as Batch;
    const given = caseParams(recorded, services);
    const declared = declare(called, call, inputs, services);
    const params = recorded.call?.seed === undefined ? given : completed(given, declared, recorded.call.seed, services); // prettier-ignore
    const streams = Object.entries({ ...defaultSeeds, ...rngs }).map(([stream, seed]) => [
      stream,
      runtime.toDevice(tf.random.keyArray(tf.random.key(seed))),
    ]);
    const stored = storedAs(declared);
    const lossOf = recorded.loss === undefined ? undefined : lossNamed(recorded.loss, losses, services);

    const f = (params: Params, batch: Batch, keys: RngStreams) => {
      const apply = (params: Params, batch: Batch, updates?: Map<string, tf.Tensor>) =>
        called(Scope.reading(stored(params), keys, updates ?? new Map<string, tf.Tensor>()), batch, call);
      const forward = () => {
        const updates = new Map<string, tf.Tensor>();
        const result = apply(params, batch, updates);
        const state = namedLeaves<tf.Tensor>(params).map(
          ([name, x]) => [`state/${name}`, updates.get(name) ?? x] as const,
        );
        return { ...namedOutputs(result), ...outputs?.(result, batch), ...Object.fromEntries(state) };
      };
      const asked = [...recorded.wanted].some((name) => !/^(loss$|grad[_/])/.test(name));
      return selected(
        { ...(asked && forward()), ...(lossOf && gradients(apply, lossOf, params, batch)) },
        recorded.wanted,
      );
    };
    const jitted = runtime.jit(f, { name: `parity ${name}` });
    return fetchAll(runtime, jitted(params, batch, Object.fromEntries(streams) as RngStreams));
  };
}

/** Everything of a result by the names that cases have. */
function namedOutputs({ output, out }: ModelResult): Record<string, tf.Tensor> {
  const intermediates = namedLeaves<tf.Tensor>(out);
  const found: [string, tf.Tensor][] = [
    // An encoder's output, say, is recorded under its own name.
    ...intermediates,
    ...intermediates.map(([name, x]) => [`out/${name}`, x] as [string, tf.Tensor]),
  ];
  if (Array.isArray(output)) {
    const parts = output as readonly (tf.Tensor | null | undefined)[];
    parts.forEach((x, i) => x && found.push([pair[i] ?? `output/${i}`, x]));
  } else if (output instanceof tf.Tensor) {
    found.push(['logits', output], ['output', output]);
  } else {
    const named = namedLeaves<tf.Tensor>(output);
    found.push(...named, ...named.map(([name, x]) => [`output/${name}`, x] as [string, tf.Tensor]));
  }
  return Object.fromEntries(found);
}

/** What was recorded, as float32: the rest isn't even computed in a compiled program. */
function selected(
  results: Readonly<Record<string, tf.Tensor>>,
  wanted: ReadonlySet<string>,
): Record<string, tf.Tensor> {
  const kept = Object.entries(results).filter(([name]) => wanted.has(name));
  return Object.fromEntries(
    kept.map(([name, x]) => [name, x.dtype === 'float32' ? tf.castStorage(x, 'float32') : x]),
  );
}

/** `loss`, `grad/...` of the parameters, and `grad_image` and the like of the float inputs. */
function gradients(
  apply: (params: Params, batch: Batch) => ModelResult,
  lossOf: ScalarOf,
  params: Params,
  batch: Batch,
): Record<string, tf.Tensor> {
  const inputs = Object.fromEntries(
    Object.entries(batch).filter(([name, x]) => name !== 'labels' && x.dtype === 'float32'),
  );
  const { loss, grads } = valueAndGrad(
    (at) => {
      const whole = { ...batch, ...(at.inputs as Batch) };
      return { loss: lossOf(apply(at.params as Params, whole), whole) };
    },
    { params, inputs } as Params,
  );
  const ofParams = namedLeaves<tf.Tensor>(grads.params as Tree<tf.Tensor>);
  const ofInputs = namedLeaves<tf.Tensor>(grads.inputs as Tree<tf.Tensor>);
  return Object.fromEntries([
    ['loss', loss],
    ...ofParams.map(([name, x]) => [`grad/${name}`, x]),
    ...ofInputs.map(([name, x]) => [`grad_${name}`, x]),
  ]) as Record<string, tf.Tensor>;
}

function lossNamed(
  name: string,
  special: ModelParity['losses'],
  { registry, container }: ParityServices,
): ScalarOf {
  const known = special?.[name];
  if (known) return known;
  const loss = registry.create(container, 'loss', name, {}, 'loss');
  return ({ output }, { labels }) => {
    const logits = (Array.isArray(output) ? output[0] : output) as tf.Tensor;
    return loss({ logits, labels: labels as tf.Tensor });
  };
}

function declare(
  called: Model['apply'],
  call: CallOptions,
  inputs: Readonly<Record<string, HostArray>>,
  { runtime }: ParityServices,
): ParamDeclaration[] {
  const specs = mapTree<HostArray, TensorSpec, Record<string, TensorSpec>>(
    { ...inputs },
    ({ dtype, shape }) => new TensorSpec(dtype, shape),
  );
  const declared: ParamDeclaration[] = [];
  const evaluate = (batch: Batch) =>
    called(Scope.declaring(declared), batch, { ...call, train: false }).output;
  runtime.evalShape(evaluate, specs);
  return declared;
}

/** Large kernels aren't recorded where a seed says what they start as. */
function completed(
  given: Params,
  declared: readonly ParamDeclaration[],
  seed: number,
  { runtime }: ParityServices,
): Params {
  const recorded = new Set(namedLeaves<tf.Tensor>(given).map(([name]) => name));
  const made = namedLeaves<tf.Tensor>(initParams(runtime, declared, tf.random.key(seed)));
  const others = made.filter(([name]) => !recorded.has(name));
  return nest([...namedLeaves<tf.Tensor>(given), ...others]);
}

/** Cases hold all parameters as float32; the model stores some in half precision. */
function storedAs(declared: readonly ParamDeclaration[]): (params: Params) => Params {
  const half = new Map(
    declared.flatMap(({ name, spec: { dtype } }) =>
      dtype === 'bfloat16' || dtype === 'float16' ? [[name, dtype] as const] : [],
    ),
  );
  if (half.size === 0) return (params) => params;
  return (params) =>
    mapNamed<tf.Tensor, tf.Tensor>(params, (name, x) => {
      const storage = half.get(name);
      return storage ? tf.castStorage(x, storage) : x;
    }) as NestedRecord<tf.Tensor>;
}

/** The model's parameters and variables as the case's inputs have them; runners of their own use it too. */
export function caseParams({ inputs }: ParityCase, { runtime }: ParityServices): Params {
  const collections = ['params', 'state'].flatMap((name) =>
    namedLeaves<HostArray>(arraysUnder(inputs, name)),
  );
  return sendAll(runtime, nest(collections));
}
