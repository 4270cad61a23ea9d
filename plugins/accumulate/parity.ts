// Runs recorded cases of gradient accumulation, on a linear classifier of flattened images.

import type { Batch, Params } from '../../core/extensions';
import type { GradientFn, LossFn, StepContext } from '../../core/hooks';
import type { ParityRunner } from '../../core/parity/case';
import { arraysBeside, arraysUnder } from '../../core/parity/read';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import * as tf from '../../core/tensor';
import { valueAndGrad } from '../../core/train/gradients';
import { accumulateGradient } from './accumulate';

const linear: LossFn = (params, { image, labels }) => {
  const flat = tf.reshape(image as tf.Tensor, [(image as tf.Tensor).shape[0] as number, -1]);
  const logits = tf.add(tf.matMul(flat, params.w as tf.Tensor), params.b as tf.Tensor);
  return { loss: tf.neg(tf.mean(tf.sum(tf.mul(labels as tf.Tensor, tf.logSoftmax(logits)), -1))) };
};

const stock: GradientFn = (loss, params, batch, context) =>
  valueAndGrad((p) => loss(p, batch, context), params);

export const accumulateRunners: Readonly<Record<string, ParityRunner>> = {
  'loss accumulate_gradient': async ({ args, inputs }, { runtime }) => {
    const { accum_steps } = args as { accum_steps: number | null };
    const accumulated = accumulateGradient(stock, accum_steps ?? 1);
    const f = (params: Params, batch: Batch) => {
      const rng = tf.random.keyArray(tf.random.key(0));
      const context = {
        rng: tf.tensor(rng.data as Int32Array, [2], 'int32'),
        extra: {},
      } as unknown as StepContext;
      const { loss, grads } = accumulated(linear, params, batch, context);
      return { loss, grad: grads };
    };
    const params = sendAll(runtime, arraysUnder(inputs, 'params'));
    const batch = sendAll(runtime, Object.fromEntries(arraysBeside(inputs, 'params'))) as Batch;
    return fetchAll(runtime, runtime.jit(f, { name: 'parity accumulation' })(params, batch));
  },
};
