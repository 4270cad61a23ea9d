// Embeddings of a whole data set, in host memory, in the order of its examples.

import type { HostArray } from '../../../core/array';
import type { Batch, Params, PredictFn } from '../../../core/extensions';
import type { Jitted, Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import type { OpenedInput } from '../../../core/train/run';
import { countedRows, forEachBatch, joinRows, rowsOf } from '../../../plugins/evaluators';

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
  const read = async (tensors: readonly tf.Tensor[]) => {
    const arrays = await Promise.all(tensors.map((x) => runtime.toHost(x)));
    tf.dispose([...tensors]);
    return arrays;
  };
  const reads: ReturnType<typeof read>[] = [];
  await forEachBatch(runtime, input, ({ _mask: mask, ...batch }) => {
    const beside = [...keys.map((key) => batch[key]), mask].map((x) => tf.clone(x as tf.Tensor));
    const seen = Object.fromEntries(Object.entries(batch).filter(([key]) => !keys.includes(key as K)));
    reads.push(read([embed(params, seen), ...beside]));
  });
  const batches = (await Promise.all(reads)).map((arrays) => {
    const counted = countedRows(arrays.at(-1) as HostArray);
    return arrays.map((array) => rowsOf(array, counted));
  });
  const names = ['embeddings', ...keys];
  const joined = names.map((name, i) => [name, joinRows(batches.map((b) => b[i] as HostArray))] as const);
  return Object.fromEntries(joined) as { readonly [key in K | 'embeddings']: HostArray };
}
