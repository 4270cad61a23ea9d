// Runs recorded cases of clipping.

import type { Params } from '../../core/extensions';
import type { ParityRunner } from '../../core/parity/case';
import { arraysUnder } from '../../core/parity/read';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import type * as tf from '../../core/tensor';
import { flatten, type Tree, unflatten } from '../../core/tree';
import { clipByPerExampleGlobalNorm } from './clip';

export const optimRunners: Readonly<Record<string, ParityRunner>> = {
  'optimizer clip_by_per_example_global_norm': async ({ args, inputs }, { runtime }) => {
    const f = (grads: Params) => {
      const { leaves, treedef } = flatten<tf.Tensor>(grads as Tree<tf.Tensor>);
      return unflatten(treedef, clipByPerExampleGlobalNorm(leaves, args.max_norm as number));
    };
    const clip = runtime.jit(f, { name: 'parity per-example clipping' });
    return fetchAll(runtime, clip(sendAll(runtime, arraysUnder(inputs, 'grads'))), 'updates/');
  },
};
