// The recorded models on an eager runtime: outputs, every intermediate, and gradients, with the parameters that were recorded.
// On XLA they are compared by test/cli/parity.

import type { Batch, Loss, Params } from '../../../core/extensions';
import { Scope } from '../../../core/layers/scope';
import * as tf from '../../../core/tensor';
import { valueAndGrad } from '../../../core/train/gradients';
import type { NestedRecord } from '../../../core/tree';
import { sigmoidXent, softmaxXent } from '../../../plugins/losses';
import { posembSincos2d, vit, vitOptions } from '../../../plugins/vit';
import { arraysUnder, expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';
import { eagerCpu, fetchAll, sendAll, useEagerCpu } from '../../support/runtimes';

const losses: Record<string, Loss> = {
  softmax_xent: softmaxXent({ kl: false, axis: -1 }),
  sigmoid_xent: sigmoidXent,
};
const foldersOf = (name: string) =>
  goldenCases((info) => info.kind === 'model' && info.name === name).map(({ folder }) => folder);

/** What the case recorded, as ours computes it: `output`, `out/...`, `loss`, `grad/...`, `grad_image`. */
async function run(golden: GoldenCase) {
  const { kwargs, rngs } = (golden.call ?? {}) as {
    kwargs?: { train?: boolean };
    rngs?: { dropout: number };
  };
  const model = vit(vitOptions.parse(golden.args));
  const keys = rngs && { dropout: eagerCpu.toDevice(tf.random.keyArray(tf.random.key(rngs.dropout))) };
  const params = sendAll(eagerCpu, arraysUnder(golden.inputs, 'params'));
  const { image, labels } = sendAll(eagerCpu, Object.fromEntries(golden.inputs)) as Batch;
  const apply = (params: Params, image: tf.Tensor) =>
    model.apply(Scope.reading(params, keys), { image }, { train: kwargs?.train ?? false });

  const { output, out } = apply(params, image as tf.Tensor);
  const results = { output: output as tf.Tensor, out };
  const lossOf = losses[golden.loss as string];
  if (!lossOf || !labels) return fetchAll(eagerCpu, results);
  const { loss, grads } = valueAndGrad(
    (at) => {
      const { output } = apply(at.params as Params, at.image as tf.Tensor);
      return { loss: lossOf({ logits: output as tf.Tensor, labels }) };
    },
    { params, image: image as tf.Tensor },
  );
  return fetchAll(eagerCpu, {
    ...results,
    loss,
    grad: grads.params,
    grad_image: grads.image,
  } as NestedRecord<tf.Tensor>);
}

useEagerCpu();

// tfjs's eager backends know float32 alone.
test.each(foldersOf('vit').filter((folder) => !folder.endsWith('bf16')))('%s', async (folder) => {
  const golden = await readCase(folder);
  expectCase(await run(golden), golden);
});

test.each(foldersOf('vit:posemb_sincos_2d'))('%s', async (folder) => {
  const golden = await readCase(folder);
  const { h, w, width, temperature } = golden.args as Record<string, number>;
  const output = posembSincos2d([h as number, w as number], width as number, temperature);
  expectCase(await fetchAll(eagerCpu, { output }), golden);
});
