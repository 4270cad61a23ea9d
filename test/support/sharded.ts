// Training runs of a recorded case on meshes of virtual devices.

import type { HostArray } from '../../core/array';
import type { Compiled, JitOptions, Runtime, TensorSpec } from '../../core/runtime';
import { namedLeaves, type NestedRecord } from '../../core/tree';
import type { Tensor } from '../../core/tensor';
import { type XlaOptions, XlaRuntime } from '../../plugins/xla';
import type { GoldenCase } from './golden';
import { trainCase } from './train';

export interface ShardedRun {
  /** As `trainCase` gives them. */
  readonly got: ReadonlyMap<string, HostArray>;
  readonly losses: readonly number[];
  /** The train step. */
  readonly compiled: Compiled;
  /** Every leaf of the train state as the first and the last step got it. */
  readonly state: { readonly first: Specs; readonly last: Specs };
}
type Specs = ReadonlyMap<string, TensorSpec>;

/** Megatron's split of a ViT over the mesh axis "model"; everything else is replicated. */
export const megatron = [
  ['.*/(query|key|value)/kernel', "shard_dim('model', 1)"],
  ['.*/(query|key|value)/bias', "shard_dim('model', 0)"],
  ['.*/out/kernel', "shard_dim('model', 0)"],
  ['.*/MlpBlock_0/Dense_0/kernel', "logical_partitioning('embed', 'mlp')"],
  ['.*/MlpBlock_0/Dense_0/bias', "logical_partitioning('mlp')"],
  ['.*/MlpBlock_0/Dense_1/kernel', "logical_partitioning('mlp', 'embed')"],
] as const;

/** Runs the case with `config` changed, on a runtime of these options. */
export async function runSharded(
  golden: GoldenCase,
  config: Readonly<Record<string, unknown>>,
  options: XlaOptions,
  workdir?: string,
): Promise<ShardedRun> {
  const runtime = await XlaRuntime.create({ platform: 'cpu', ...options });
  try {
    let compiled: Compiled | undefined;
    let first: Specs | undefined;
    let last: Specs | undefined;
    const specsOf = (state: NestedRecord<Tensor>): Specs =>
      new Map(namedLeaves<Tensor>(state).map(([name, tensor]) => [name, runtime.specOf(tensor)]));
    const watched = Object.create(runtime) as Runtime;
    watched.jit = ((fn: (...args: never[]) => unknown, jitOptions: JitOptions) => {
      const jitted = runtime.jit(fn, jitOptions);
      if (jitOptions.name !== 'train step') return jitted;
      return (...args: never[]) => {
        compiled ??= jitted.compile(...args);
        last = specsOf(args[0] as unknown as NestedRecord<Tensor>);
        first ??= last;
        return jitted(...args);
      };
    }) as never;
    const args = { config: { ...(golden.args.config as object), ...config } };
    const got = await trainCase(watched, { ...golden, args }, { workdir });
    const losses = [...(got.get('training_loss') as HostArray).data];
    return { got, losses, compiled: compiled!, state: { first: first!, last: last! } };
  } finally {
    await runtime.dispose();
  }
}

/** The largest relative difference. */
export function relativeDifference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!) / Math.abs(b[i]!)));
}
