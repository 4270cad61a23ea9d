// Runs recorded cases of GSAM's gradient, on a model of the registry or on a small one of two layers.

import type { z } from 'zod';
import { type HostArray, hostArray } from '../../core/array';
import type { Batch, Params } from '../../core/extensions';
import { createHooks, type LossFn, type StepContext } from '../../core/hooks';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import type { Plugin } from '../../core/plugin';
import type { ParityRunner } from '../../core/parity/case';
import { arraysUnder } from '../../core/parity/read';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import * as tf from '../../core/tensor';
import { valueAndGrad } from '../../core/train/gradients';
import type { Run } from '../../core/train/run';
import type { NestedRecord } from '../../core/tree';

interface Args {
  readonly model: string;
  readonly model_args: object;
  readonly loss: string;
  readonly lr: number;
}

/** dense, tanh, dense on the flattened image. */
function mlp(params: Params, image: tf.Tensor): tf.Tensor {
  const dense = (x: tf.Tensor, name: string) => {
    const { kernel, bias } = params[name] as { kernel: tf.Tensor; bias: tf.Tensor };
    return tf.add(tf.matMul(x, kernel), bias);
  };
  return dense(tf.tanh(dense(tf.reshape(image, [image.shape[0] as number, -1]), 'Dense_0')), 'head');
}

/** `gsam` taps the hooks as it does in a run. */
export const gsamRunners = (gsam: Plugin): Readonly<Record<string, ParityRunner>> => ({
  'optimizer proj/gsam/gsam_gradient': async ({ args, inputs }, { runtime, registry, container }) => {
    const { model: name, model_args, loss: lossName, lr, ...options } = args as unknown as Args;
    const hooks = createHooks();
    gsam.apply?.(hooks, parseOptions(gsam.options as z.ZodType, options, 'args') as never);
    const run = {
      config: { lr },
      length: { total_steps: 10 },
      update: { schedules: [{ at: () => 1, traced: () => tf.scalar(1) }] },
    } as unknown as Run;
    const gradients = hooks.gradients.call(
      (loss: LossFn, params: Params, batch: Batch, context: StepContext) =>
        valueAndGrad((p) => loss(p, batch, context), params),
      run,
    );
    const model =
      name === 'mlp' ? undefined : registry.create(container, 'model', name, model_args, 'args.model');
    const loss = registry.create(container, 'loss', lossName, {}, 'args.loss');
    const lossFn: LossFn = (params, batch) => {
      const logits = model
        ? model.apply(Scope.reading(params), batch, { train: true }).output
        : mlp(params, batch.image as tf.Tensor);
      return { loss: loss({ logits: logits as tf.Tensor, labels: batch.labels as tf.Tensor }) };
    };
    const f = (params: Params, batch: Batch, step: tf.Tensor) => {
      const { loss, grads } = gradients(lossFn, params, batch, { step } as StepContext);
      return { loss, grad: grads };
    };
    const { image, labels } = Object.fromEntries(inputs) as Record<string, HostArray>;
    const got = runtime.jit(f, { name: 'parity gsam' })(
      sendAll(runtime, arraysUnder(inputs, 'params')),
      sendAll(runtime, { image, labels } as NestedRecord<HostArray>) as Batch,
      runtime.toDevice(hostArray('int32', [], [0])),
    );
    return fetchAll(runtime, got);
  },
});
