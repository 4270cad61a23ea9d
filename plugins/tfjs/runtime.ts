// tfjs's own backends as a runtime: every op runs when it is called. tfjs has one current backend: a runtime makes its own
// the current one for what it does itself, and ops called outside of `jit` run on the one that was used last.

import {
  enableProdMode,
  engine,
  memory,
  setBackend,
  type Tensor,
  tensor as makeTensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { halfToFloat } from '../../core/half';
import { type DType, HostArray } from '../../core/array';
import { type ArrayBlock, type Extent, type Rows, wholeOf } from '../../core/blocks';
import { catalogue } from '../../core/errors';
import {
  type Compiled,
  type DeviceMemory,
  type Jitted,
  type JitOptions,
  type Mesh,
  type Runtime,
  type RuntimeOptions,
  TensorSpec,
} from '../../core/runtime';
import { checkRules } from '../../core/mesh';
import { alone } from '../../core/processes/group';
import * as tf from '../../core/tensor';
import { registerFallbacks } from '../../core/tensor/register';
import { flatten, namedLeaves, type Tree, unflatten } from '../../core/tree';
import { evalShape } from './abstract';
import { activate, underWay, whileUnderWay } from './activate';
import { tensorTypes } from './types';

const errors = catalogue('runtime', {
  oneDevice: (v: { runtime: string; mesh: string; size: number }) => ({
    what: `The mesh ${v.mesh} has ${v.size} devices, and the ${v.runtime} runtime has one.`,
    fix: 'leave "mesh" out of the config, or run on xla.',
  }),
  oneProcess: (v: { runtime: string; count: number }) => ({
    what: `The run has ${v.count} processes, and the ${v.runtime} runtime runs in one.`,
    fix: 'leave out --processes, or run on xla.',
  }),
  // As on xla, so that what runs here runs there.
  notATensor: (v: { name: string; leaf: string; found: unknown }) => ({
    what: `"${v.name}" got ${describe(v.found)} as ${v.leaf}, and can take tensors alone.`,
    fix: 'list the argument in "static", or make a tensor of it.',
  }),
  badResult: (v: { name: string; leaf: string; found: unknown }) => ({
    what: `"${v.name}" returned ${describe(v.found)} as ${v.leaf}, and can return tensors alone.`,
    fix: 'return tensors; compute other values outside.',
  }),
  asyncFunction: (v: { name: string }) => ({
    what: `"${v.name}" returned a promise, and a jitted function can't.`,
    fix: 'make it a synchronous function; await its inputs before the call.',
  }),
});

const describe = (value: unknown) =>
  typeof value === 'object' || typeof value === 'function'
    ? `a ${(value as object).constructor.name}`
    : `the ${typeof value} ${String(value)}`;

export interface EagerBackend {
  /** tfjs's name, and the runtime's. */
  readonly name: 'wasm' | 'cpu' | 'tensorflow';
  readonly description: string;
  /** Imports the backend and registers what it lacks. */
  prepare(): void;
}

/** Only one runtime is active at a time: tfjs has one current backend. */
export async function createEagerRuntime(backend: EagerBackend, options: RuntimeOptions): Promise<Runtime> {
  const { count } = options.processes ?? alone;
  if (count > 1) throw errors.oneProcess({ runtime: backend.name, count });
  const mesh = meshOf(backend.name, options);
  // Its other mode checks each result for NaNs, and advises people who run tfjs in Node.
  enableProdMode();
  backend.prepare();
  registerFallbacks(backend.name);
  await setBackend(backend.name);
  return new EagerRuntime(backend, mesh);
}

function meshOf(
  runtime: string,
  { mesh: asked = [['data', 1]], rules }: Pick<RuntimeOptions, 'mesh' | 'rules'>,
): Mesh {
  const axes = asked.map(([name, size]) => [name, size === -1 ? 1 : size] as const);
  const size = axes.reduce((product, [, size]) => product * size, 1);
  if (size !== 1) throw errors.oneDevice({ runtime, mesh: JSON.stringify(asked), size });
  const mesh = { axes, size, rules };
  checkRules(mesh);
  return mesh;
}

class EagerRuntime implements Runtime {
  readonly platform = 'cpu';
  readonly deviceKind = 'cpu';
  readonly compiles = false;
  readonly process = { index: 0, count: 1 };

  constructor(
    private readonly backend: EagerBackend,
    readonly mesh: Mesh,
  ) {}

  get name(): string {
    return this.backend.name;
  }

  get description(): string {
    return this.backend.description;
  }

  jit<Args extends readonly unknown[], Out>(
    fn: (...args: Args) => Out,
    { name, donate = [], static: plain = [] }: JitOptions,
  ): Jitted<Args, Out> {
    const call = (...args: Args): Out => {
      // In another function's body it is part of that. Under a gradient tape its kernels must be seen, and what they made
      // lives on for the tape.
      if (underWay()) return fn(...args);
      activate(this.name);
      if (engine().state.gradientDepth > 0) return fn(...args);
      const given = new Set(args.flatMap((arg, i) => (plain.includes(i) ? [] : tensorsOf(name, i, arg))));
      const out = tidy(
        () =>
          ownResults(
            name,
            whileUnderWay(() => fn(...args)),
            given,
          ) as never,
      ) as Out;
      for (const index of donate) tf.dispose(flatten(args[index] as Tree<Tensor>).leaves);
      return out;
    };
    const nothing: Compiled = { traceSeconds: 0, compileSeconds: 0, cached: false };
    return Object.assign(call, { programs: 0, compile: () => nothing, trace: () => undefined });
  }

  evalShape(fn: (...args: never[]) => unknown, ...args: readonly unknown[]): Tree<TensorSpec> {
    activate(this.name);
    return evalShape(fn, args);
  }

  toDevice({ dtype, shape, data }: HostArray): Tensor {
    activate(this.name);
    const values =
      dtype === 'bfloat16' || dtype === 'float16' ? halfToFloat(dtype, data as Uint16Array) : data;
    // A copy, since tfjs may keep the array it gets.
    const own = dtype === 'uint8' ? Int32Array.from(values) : values.slice();
    return makeTensor(own as Float32Array, shape as number[], tensorTypes[dtype]);
  }

  rowsHere(rows: number): Rows {
    return { start: 0, end: rows };
  }

  rowsToDevice(array: HostArray): Tensor {
    return this.toDevice(array);
  }

  blocksHere(shape: readonly number[]): readonly Extent[] {
    return [wholeOf(shape)];
  }

  blocksToDevice([whole]: readonly ArrayBlock[]): Tensor {
    return this.toDevice(whole!.array);
  }

  async blocksToHost(tensor: Tensor): Promise<readonly ArrayBlock[]> {
    return [{ array: await this.toHost(tensor), shape: tensor.shape, start: tensor.shape.map(() => 0) }];
  }

  async toHost(tensor: Tensor): Promise<HostArray> {
    const data = await tensor.data();
    return new HostArray(tensor.dtype as DType, tensor.shape, data.slice() as Float32Array);
  }

  specOf(tensor: Tensor): TensorSpec {
    return new TensorSpec(tensor.dtype as DType, tensor.shape);
  }

  async idle(): Promise<void> {}

  memory(): readonly DeviceMemory[] {
    return [{ device: this.name, inUse: memory().numBytes }];
  }

  async dispose(): Promise<void> {}
}

/** The tensors of an argument. */
function tensorsOf(name: string, index: number, arg: unknown): Tensor[] {
  for (const [path, leaf] of namedLeaves(arg as Tree<unknown>)) {
    if (leaf instanceof tf.Tensor) continue;
    throw errors.notATensor({ name, leaf: `argument ${index} ${path}`.trim(), found: leaf });
  }
  return flatten(arg as Tree<Tensor>).leaves;
}

/** The results as tensors of their own: one that is an argument, or there twice, would be disposed of with the other. */
function ownResults(name: string, out: unknown, given: ReadonlySet<Tensor>): unknown {
  if (out instanceof Promise) {
    // Its failure is ours to report.
    out.catch(() => {});
    throw errors.asyncFunction({ name });
  }
  for (const [path, leaf] of namedLeaves(out as Tree<unknown>)) {
    if (!(leaf instanceof tf.Tensor))
      throw errors.badResult({ name, leaf: `result ${path}`.trim(), found: leaf });
  }
  const { leaves, treedef } = flatten(out as Tree<Tensor>);
  const seen = new Set(given);
  const own = leaves.map((leaf) => {
    const result = seen.has(leaf) ? tf.clone(leaf) : leaf;
    seen.add(result);
    return result;
  });
  return unflatten(treedef, own);
}
