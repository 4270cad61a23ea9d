// The recorded models: outputs, every intermediate, and gradients, with the parameters that were recorded.

import type { Batch, Loss, Params } from '../../../core/extensions';
import { Scope, type RngStreams } from '../../../core/layers/scope';
import * as tf from '../../../core/tensor';
import { valueAndGrad } from '../../../core/train/gradients';
import { mapNamed, type NestedRecord } from '../../../core/tree';
import { sigmoidXent, softmaxXent } from '../../../plugins/losses';
import { posembSincos2d, vit, vitOptions, type VitOptions } from '../../../plugins/vit';
import { arraysUnder, expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';
import { fetchAll, onRuntimes, sendAll, type TestRuntime } from '../../support/runtimes';

const losses: Record<string, Loss> = {
  softmax_xent: softmaxXent({ kl: false, axis: -1 }),
  sigmoid_xent: sigmoidXent,
};
const foldersOf = (name: string) =>
  goldenCases((info) => info.kind === 'model' && info.name === name).map(({ folder }) => folder);

/** What the case recorded, as ours computes it: `output`, `out/...`, `loss`, `grad/...`, `grad_image`. */
async function run(runtime: TestRuntime, golden: GoldenCase) {
  const options = vitOptions.parse(golden.args);
  const { kwargs, rngs } = (golden.call ?? {}) as {
    kwargs?: { train?: boolean };
    rngs?: { dropout: number };
  };
  const model = vit(options);
  const keys = rngs && { dropout: runtime.toDevice(tf.random.keyArray(tf.random.key(rngs.dropout))) };
  const params = sendAll(runtime, arraysUnder(golden.inputs, 'params'));
  const { image, labels } = sendAll(runtime, Object.fromEntries(golden.inputs)) as Batch;
  const apply = (params: Params, image: tf.Tensor, rngs?: RngStreams) =>
    model.apply(Scope.reading(asStored(params, options), rngs), { image }, { train: kwargs?.train ?? false });
  const lossOf = losses[golden.loss as string];

  const f = (params: Params, image: tf.Tensor, labels: tf.Tensor | undefined, rngs?: RngStreams) => {
    const { output, out } = apply(params, image, rngs);
    const results = mapNamed<tf.Tensor, tf.Tensor>({ output, out } as NestedRecord<tf.Tensor>, (_, x) =>
      tf.castStorage(x, 'float32'),
    );
    if (!lossOf || !labels) return results;
    const { loss, grads } = valueAndGrad(
      (at) => {
        const { output } = apply(at.params as Params, at.image as tf.Tensor, rngs);
        return { loss: lossOf({ logits: output as tf.Tensor, labels }) };
      },
      { params, image },
    );
    return { ...results, loss, grad: grads.params as Params, grad_image: grads.image as tf.Tensor };
  };
  return fetchAll(runtime, runtime.jit(f, { name: golden.folder })(params, image as tf.Tensor, labels, keys));
}

/** The cases hold parameters of all types as float32; two of them are stored in the type of the activations. */
const asStored = (params: Params, { dtype_mm }: VitOptions): Params =>
  dtype_mm === 'float32'
    ? params
    : mapNamed<tf.Tensor, tf.Tensor>(params, (name, x) =>
        ['pos_embedding', 'cls'].includes(name) ? tf.castStorage(x, dtype_mm) : x,
      );

describe('golden', () => {
  onRuntimes((use, kind) => {
    // tfjs's eager backends know float32 alone.
    const folders = foldersOf('vit').filter((folder) => kind === 'xla' || !folder.endsWith('bf16'));
    test.each(folders)('%s', async (folder) => {
      const golden = await readCase(folder);
      const worst = expectCase(await run(use.runtime, golden), golden);
      if (process.env.PRINT) process.stderr.write(`${kind} ${folder} ${worst}\n`);
    });

    test.each(foldersOf('vit:posemb_sincos_2d'))('%s', async (folder) => {
      const golden = await readCase(folder);
      const { h, w, width, temperature } = golden.args as Record<string, number>;
      const f = () => ({ output: posembSincos2d([h as number, w as number], width as number, temperature) });
      expectCase(await fetchAll(use.runtime, use.runtime.jit(f, { name: folder })()), golden);
    });
  });
});
