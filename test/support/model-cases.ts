// Recorded cases of models on an eager runtime: outputs, intermediates and gradients. On XLA, and with initial values, they are
// compared by test/cli/parity.

import { type HostArray } from '../../core/array';
import type { Model, ModelResult, Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import type * as tf from '../../core/tensor';
import { valueAndGrad } from '../../core/train/gradients';
import { bidirectionalContrastiveLoss, siglipLoss } from '../../plugins/losses';
import { arraysUnder, expectCase, type GoldenCase, goldenCases, readCase } from './golden';
import { eagerCpu, fetchAll, sendAll, useEagerCpu } from './runtimes';

/** The scalar of a gradient case. */
export type LossOf = (result: ModelResult, batch: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;

/** Losses of a pair of towers. */
export const pairLosses: Readonly<Record<string, LossOf>> = {
  siglip: ({ output, out }) => siglipLoss({ ...pairOf(output), ...(out as { t: tf.Tensor; b: tf.Tensor }) }),
  bidirectional_contrastive: ({ output, out }) =>
    bidirectionalContrastiveLoss({ ...pairOf(output), t: (out as { t: tf.Tensor }).t }, { reduction: true })
      .loss,
};

function pairOf(output: ModelResult['output']) {
  const [zimg, ztxt] = output as [tf.Tensor, tf.Tensor];
  return { zimg, ztxt };
}

/** Names of a model's results in its cases, and the scalars of its gradient cases. */
export interface CaseOutputs {
  readonly names?: readonly string[];
  readonly losses?: Readonly<Record<string, LossOf>>;
}

/** Tests a model, by the original's name, against all its recordings of results and gradients. */
export function testRecordedModel(
  name: string,
  modelOf: (args: object) => Model,
  outputs: CaseOutputs = {},
): void {
  const recorded = goldenCases(({ kind, name: model }) => kind === 'model' && model === name);
  useEagerCpu();
  test.each(recorded.map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    expectCase(await runModelCase(golden, modelOf(golden.args), outputs), golden);
  });
}

/** What a case recorded, as the model computes it: the results by `names`, `out/...`, or `loss` and `grad/...`. */
async function runModelCase(
  golden: GoldenCase,
  model: Model,
  { names = ['output'], losses = {} }: CaseOutputs,
): Promise<Map<string, HostArray>> {
  const params = sendAll(eagerCpu, arraysUnder(golden.inputs, 'params'));
  const inputs = [...golden.inputs].filter(([name]) => !name.startsWith('params/'));
  const batch = sendAll(eagerCpu, Object.fromEntries(inputs)) as Record<string, tf.Tensor>;
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
  return fetchAll(eagerCpu, f(params, batch));
}
