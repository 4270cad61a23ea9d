// The smallest runtime for tests of traced functions: tfjs's cpu backend, eager.

import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type HostArray, hostArray } from '../../core/array';
import * as tf from '../../core/tensor';
import { registerFallbacks } from '../../core/tensor/register';
import { mapTree, namedLeaves, type NestedRecord, type Tree } from '../../core/tree';

/** To be called at the top of a test file. */
export function useEagerCpu(): void {
  beforeAll(async () => {
    registerFallbacks('cpu');
    await setBackend('cpu');
  });
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
