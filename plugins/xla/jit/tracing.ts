// Runs a function on tracers and makes a module of what its kernels emitted.

import { engine, Tensor } from '@tensorflow/tfjs-core';
import { type PartitionSpec, ShardingLeaf, TensorSpec } from '../../../core/runtime';
import { flatten, namedLeaves, type Tree, type TreeDef, unflatten } from '../../../core/tree';
import type { XlaBackend } from '../backend';
import { arrayDType, elementTypeOfArray } from '../element-types';
import { errors } from '../errors';
import type { ArrayType, Sharding } from '../mesh';
import type { DataRecord } from '../record';
import { printModule, type Value } from '../stablehlo';
import { Trace } from '../trace';
import { describeLeaf } from './arguments';
import { findCarried } from './carried';
import { planDonation } from './donation';
import type { TracedProgram } from './program';

export interface TraceRequest {
  readonly name: string;
  readonly fn: (...args: never[]) => unknown;
  /** The call's arguments: static ones as they are. */
  readonly args: readonly unknown[];
  /** Trees of the other arguments. */
  readonly treedefs: readonly (TreeDef | undefined)[];
  /** Types of their leaves. */
  readonly types: readonly ArrayType[];
  readonly donated: readonly boolean[];
  /** Of whole donated arguments: see carriedKey. */
  readonly donatedKeys: ReadonlySet<string>;
  readonly leafName: (index: number) => string;
  readonly outShardings?: Tree<ShardingLeaf>;
}

/** Calls `fn` with tracers for leaves; afterwards nothing of it is left in tfjs. */
function traceCall<R>(
  backend: XlaBackend,
  trace: Trace,
  fn: () => unknown,
  finish: (tensors: readonly Tensor[], treedef: TreeDef) => R,
): R {
  return backend.tracing(trace, () => {
    const { state } = engine();
    const scopes = state.scopeStack.length;
    engine().startScope(trace.name);
    try {
      const out = fn();
      if (out instanceof Promise) {
        // Its failure is ours to report.
        out.catch(() => {});
        throw errors.asyncTrace({ name: trace.name });
      }
      const { leaves, treedef } = flatten(out as Tree<unknown>);
      const wrong = leaves.findIndex((leaf) => !(leaf instanceof Tensor));
      if (wrong >= 0) {
        const leaf = `result ${namedLeaves(out as Tree<unknown>)[wrong]![0]}`.trim();
        throw errors.badResult({ name: trace.name, leaf, found: describeLeaf(leaves[wrong]) });
      }
      return finish(leaves as Tensor[], treedef);
    } catch (error) {
      releaseCaptures(backend, trace);
      throw error;
    } finally {
      // A function that threw may have left scopes of its own open.
      while (state.scopeStack.length > scopes) engine().endScope();
      trace.close();
    }
  });
}

function releaseCaptures(backend: XlaBackend, trace: Trace): void {
  for (const record of trace.captures) backend.release(record);
}

export function traceProgram(backend: XlaBackend, request: TraceRequest): TracedProgram {
  const start = performance.now();
  const { name, types, donated } = request;
  const { devices } = backend;
  const { mesh } = devices;
  const partitioned = mesh.size > 1;
  const trace = new Trace(name, mesh);
  const inputs = types.map(({ type, shape }) => trace.graph.arg(type, shape));
  const call = () => {
    const tensors = inputs.map((value, i) =>
      backend.tensor(value.type, value.shape, {
        kind: 'traced',
        trace,
        value,
        made: `(${request.leafName(i)})`,
      }),
    );
    return request.fn(...(rebuild(request.args, request.treedefs, tensors) as never[]));
  };
  return traceCall(backend, trace, call, (tensors, outputTree) => {
    const results = tensors.map((tensor) => trace.valueOf(backend.recordOf(tensor)));
    const asked = outputShardings(backend, request, results, outputTree);
    const plan = planDonation(
      types.map((type, i) => (donated[i] ? { type: typeKey(type), sharding: type.sharding.key } : undefined)),
      results.map((result, i) => ({ type: typeKey(result), sharding: asked[i]?.key })),
    );
    const shardings = results.map((_, i) => {
      const source = plan.sources[i];
      return asked[i] ?? (source === undefined ? mesh.replicated : types[source]!.sharding);
    });
    const captured = trace.captures.map((record) => captureSharding(backend, record));
    const text = printModule(trace.graph, {
      name: name.replace(/\W/g, '_'),
      results,
      aliases: plan.aliases,
      ...(partitioned && {
        mesh: mesh.axes,
        argShardings: [...types.map(({ sharding }) => sharding.axes), ...captured.map(({ axes }) => axes)],
        resultShardings: shardings.map(({ axes }) => axes),
      }),
    });
    const outputs = results.map(({ type, shape }, i) => devices.arrayType(type, shape, shardings[i]!));
    return {
      name,
      text,
      outputs,
      carried: findCarried(outputTree, outputs, request.donatedKeys),
      outputTree,
      donated,
      captures: trace.captures,
      flops: trace.graph.flops(results),
      traceSeconds: (performance.now() - start) / 1000,
    };
  });
}

/** The specs of a function's results, from those of its arguments; other leaves are passed as they are. */
export function traceShapes(
  backend: XlaBackend,
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
): Tree<TensorSpec> {
  const trace = new Trace('evalShape', backend.devices.mesh, true);
  const call = () => {
    const given = args.map((arg) => {
      const { leaves, treedef } = flatten(arg as Tree<unknown>);
      const replaced = leaves.map((leaf) => {
        if (!(leaf instanceof TensorSpec)) return leaf;
        const { type, shape } = specType(backend, leaf);
        const value = trace.graph.arg(type, shape);
        return backend.tensor(type, shape, { kind: 'traced', trace, value, made: '(an argument)' });
      });
      return unflatten(treedef, replaced);
    });
    return fn(...(given as never[]));
  };
  const specs = traceCall(backend, trace, call, (tensors, treedef) =>
    unflatten(
      treedef,
      tensors.map((tensor) => {
        const { type, shape } = backend.recordOf(tensor);
        return new TensorSpec(arrayDType(type), shape);
      }),
    ),
  );
  releaseCaptures(backend, trace);
  return specs;
}

export function specType({ devices }: XlaBackend, spec: TensorSpec): ArrayType {
  return devices.arrayType(elementTypeOfArray(spec.dtype), spec.shape, devices.mesh.sharding(spec.sharding));
}

function rebuild(
  args: readonly unknown[],
  treedefs: readonly (TreeDef | undefined)[],
  tensors: readonly Tensor[],
): unknown[] {
  let next = 0;
  return args.map((arg, i) => {
    const treedef = treedefs[i];
    if (!treedef) return arg;
    return unflatten(treedef, tensors.slice(next, (next += treedef.size)));
  });
}

const typeKey = ({ type, shape }: Pick<Value, 'type' | 'shape'>) => `${type}[${shape.join()}]`;

/** What the caller asked for, one for each result; undefined where nothing was said. */
function outputShardings(
  { devices: { mesh } }: XlaBackend,
  { outShardings, name }: TraceRequest,
  results: readonly Value[],
  outputTree: TreeDef,
): readonly (Sharding | undefined)[] {
  const specs: (PartitionSpec | undefined)[] = results.map(() => undefined);
  let next = 0;
  // `node` runs along the results' tree; `prefix` may end early with one spec for all that is below.
  const visit = (
    node: TreeDef['node'],
    prefix: Tree<ShardingLeaf>,
    spec: PartitionSpec | undefined,
  ): void => {
    const below = prefix instanceof ShardingLeaf ? prefix.spec : spec;
    const inner = prefix instanceof ShardingLeaf ? undefined : prefix;
    switch (node.kind) {
      case 'leaf':
        specs[next++] = below;
        return;
      case 'none':
        return;
      case 'list':
        node.children.forEach((child, i) =>
          visit(child, (inner as readonly Tree<ShardingLeaf>[] | undefined)?.[i], below),
        );
        return;
      case 'dict':
        node.keys.forEach((key, i) =>
          visit(node.children[i]!, (inner as Record<string, Tree<ShardingLeaf>> | undefined)?.[key], below),
        );
    }
  };
  visit(outputTree.node, outShardings, undefined);
  return specs.map((spec, i) => {
    if (spec === undefined) return undefined;
    const sharding = mesh.sharding(spec);
    mesh.parts(results[i]!.shape, sharding, `Result ${i} of "${name}"`);
    return sharding;
  });
}

function captureSharding({ devices: { mesh } }: XlaBackend, { state }: DataRecord): Sharding {
  if (state.kind === 'absent') return state.sharding;
  return state.kind === 'device' ? state.array.arrayType.sharding : mesh.replicated;
}
