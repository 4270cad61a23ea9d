// Recorded cases of models: outputs, intermediates, gradients and initial parameters, by the model's own name.

import { type HostArray } from '../../core/array';
import type { Model, ModelResult, Params } from '../../core/extensions';
import { declareParams, initParams } from '../../core/layers/params';
import { Scope } from '../../core/layers/scope';
import type { Runtime } from '../../core/runtime';
import { TensorSpec } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { valueAndGrad } from '../../core/train/gradients';
import type { NestedRecord } from '../../core/tree';
import { bidirectionalContrastiveLoss, siglipLoss } from '../../plugins/losses';
import { arraysUnder, type GoldenCase } from './golden';
import { fetchAll, sendAll, type TestRuntime } from './runtimes';

/** The scalar of a gradient case. */
export type LossOf = (result: ModelResult, batch: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;

/** Losses of a pair of towers. */
export const pairLosses: Readonly<Record<string, LossOf>> = {
  sigmoid: ({ output, out }) => siglipLoss({ ...pairOf(output), ...(out as { t: tf.Tensor; b: tf.Tensor }) }),
  softmax: ({ output, out }) =>
    bidirectionalContrastiveLoss({ ...pairOf(output), t: (out as { t: tf.Tensor }).t }, { reduction: true })
      .loss,
};

function pairOf(output: ModelResult['output']) {
  const [zimg, ztxt] = output as [tf.Tensor, tf.Tensor];
  return { zimg, ztxt };
}

/** What a case recorded, as the model computes it: the results by `names`, `out/...`, or `loss` and `grad/...`. */
export async function runModelCase(
  runtime: TestRuntime,
  golden: GoldenCase,
  model: Model,
  {
    names = ['output'],
    losses = {},
  }: { names?: readonly string[]; losses?: Readonly<Record<string, LossOf>> },
): Promise<Map<string, HostArray>> {
  const params = sendAll(runtime, arraysUnder(golden.inputs, 'params'));
  const inputs = [...golden.inputs].filter(([name]) => !name.startsWith('params/'));
  const batch = sendAll(runtime, Object.fromEntries(inputs)) as Record<string, tf.Tensor>;
  const { train = false } = (golden.call as { kwargs?: { train?: boolean } })?.kwargs ?? {};
  const apply = (params: Params, batch: Readonly<Record<string, tf.Tensor>>) =>
    model.apply(Scope.reading(params), batch, { train });

  const forward = (params: Params, batch: Record<string, tf.Tensor>) => {
    const { output, out } = apply(params, batch);
    const outputs = Array.isArray(output) ? (output as readonly tf.Tensor[]) : [output];
    return { ...Object.fromEntries(names.map((name, i) => [name, outputs[i]])), out };
  };
  const lossOf = losses[golden.loss as string];
  const gradients = (params: Params, batch: Record<string, tf.Tensor>) => {
    const { loss, grads } = valueAndGrad(
      (params) => ({ loss: lossOf!(apply(params, batch), batch) }),
      params,
    );
    return { loss, grad: grads };
  };
  const f = (lossOf ? gradients : forward) as typeof forward;
  return fetchAll(runtime, runtime.jit(f, { name: golden.folder })(params, batch));
}

/** The initial parameters of an `init_exact` case. */
export async function initCase(
  runtime: Runtime,
  golden: GoldenCase,
  model: Model,
): Promise<Map<string, HostArray>> {
  const specs = [...golden.inputs].map(([name, { dtype, shape }]) => [name, new TensorSpec(dtype, shape)]);
  const declared = declareParams(
    runtime,
    model,
    Object.fromEntries(specs) as NestedRecord<TensorSpec> as never,
  );
  const { seed } = golden.call as { seed: number };
  return fetchAll(runtime, initParams(runtime, declared, tf.random.key(seed)));
}
