// Embeddings of a whole data set, in host memory, in the order of its examples.

import type { HostArray } from '../../../core/array';
import type { Batch, Params, PredictFn } from '../../../core/extensions';
import type { Jitted, Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import type { OpenedInput } from '../../../core/train/run';
import { collectRows } from '../../../plugins/evaluators';

export type Tower = Jitted<[Params, Batch], tf.Tensor>;

type Modality = 'images' | 'texts';

/** Gives one modality's embeddings [batch, width]: the output of a pair that is of images, or of texts. */
export function onlyTower(predict: PredictFn, which: Modality): PredictFn {
  const index = which === 'images' ? 0 : 1;
  return (params, batch) => {
    const { output, out } = predict(params, batch);
    return { output: (Array.isArray(output) ? output[index] : output) as tf.Tensor, out };
  };
}

/** The embeddings of one modality, compiled. */
export function tower(runtime: Runtime, predict: PredictFn, which: Modality, name: string): Tower {
  const only = onlyTower(predict, which);
  return runtime.jit((params: Params, batch: Batch) => only(params, batch).output as tf.Tensor, {
    name: `evals.${name} (${which})`,
  });
}

/** Embeddings and the named parts of batches, without padding; the model sees the rest of the batch. */
export async function embedAll<K extends string>(
  runtime: Runtime,
  embed: Tower,
  params: Params,
  input: OpenedInput,
  keys: readonly K[],
): Promise<{ readonly [key in K | 'embeddings']: HostArray }> {
  const collected = await collectRows(runtime, input, ({ _mask: _, ...batch }) => {
    const beside = keys.map((key) => [key, tf.clone(batch[key] as tf.Tensor)] as const);
    const seen = Object.fromEntries(Object.entries(batch).filter(([key]) => !keys.includes(key as K)));
    return { embeddings: embed(params, seen), ...Object.fromEntries(beside) };
  });
  return collected as { readonly [key in K | 'embeddings']: HostArray };
}
