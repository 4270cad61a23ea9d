// Runtimes for tests of traced functions: tfjs's cpu backend, eager, and XLA.

import './cpu-backend';
import { setBackend } from '@tensorflow/tfjs-core';
import { type HostArray, hostArray } from '../../core/array';
import type { Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { registerFallbacks } from '../../core/tensor/register';
import { mapTree, namedLeaves, type NestedRecord, type Tree } from '../../core/tree';
import { XlaRuntime } from '../../plugins/xla';

export { fetchAll, sendAll } from '../../core/parity/tensors';

/** To be called at the top of a test file: ops run on tfjs's cpu backend. */
export function useEagerCpu(): void {
  beforeAll(startEagerCpu);
}

async function startEagerCpu(): Promise<void> {
  registerFallbacks('cpu');
  await setBackend('cpu');
}

export function toTensor({ dtype, shape, data }: HostArray): tf.Tensor {
  return tf.tensor(data as Float32Array, shape as number[], dtype === 'float32' ? 'float32' : 'int32');
}

export function toTensors(tree: NestedRecord<HostArray>): NestedRecord<tf.Tensor> {
  return mapTree(tree as Tree<HostArray>, toTensor);
}

/** Every leaf by its slash-joined name. */
export function toHostArrays(tree: Tree<tf.Tensor>, prefix = ''): Map<string, HostArray> {
  return new Map(
    namedLeaves<tf.Tensor>(tree).map(([name, x]) => [
      prefix + name,
      hostArray(x.dtype === 'float32' ? 'float32' : 'int32', x.shape, x.dataSync()),
    ]),
  );
}

/** The part of a runtime that tests of numerics need. */
export type TestRuntime = Pick<Runtime, 'name' | 'jit' | 'toDevice' | 'toHost'>;

/** tfjs's cpu backend, where `useEagerCpu` made it the current one. */
export const eagerCpu = {
  name: 'cpu',
  jit: (fn: (...args: never[]) => unknown) => fn,
  toDevice: toTensor,
  toHost: async (x: tf.Tensor) => toHostArrays({ x }).get('x') as HostArray,
} as unknown as TestRuntime;

/** Makes the tests of `body` for each of the runtimes; `use.runtime` is only for what runs inside a test. */
export function onRuntimes(
  body: (use: { readonly runtime: TestRuntime }, kind: 'eager' | 'xla') => void,
): void {
  describe('eager', () => {
    beforeAll(startEagerCpu);
    body({ runtime: eagerCpu }, 'eager');
  });
  describe('xla', () => {
    const use = { runtime: eagerCpu };
    let xla: XlaRuntime;
    beforeAll(async () => {
      xla = await XlaRuntime.create({ platform: 'cpu' });
      use.runtime = xla;
    });
    afterAll(() => xla.dispose());
    body(use, 'xla');
  });
}
