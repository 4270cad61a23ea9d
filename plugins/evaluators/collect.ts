// What a pass gives of all examples, in host memory.

import type { HostArray } from '../../core/array';
import type { Batch } from '../../core/extensions';
import type { Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import type { OpenedInput } from '../../core/train/run';
import { forEachBatch } from './feed';
import { countedRows, joinRows, rowsOf } from './rows';

/**
 * The rows of named values that belong to examples: in the order of the data, without padding.
 * @param valuesOf of a batch, [batch, ...] each: they are read and disposed of, so that what is the batch's own has to be cloned
 * @returns [examples, ...] each; {} of no batches
 */
export async function collectRows<K extends string>(
  runtime: Runtime,
  input: OpenedInput,
  valuesOf: (batch: Batch) => Readonly<Record<K, tf.Tensor>>,
): Promise<Readonly<Record<K, HostArray>>> {
  const read = async (named: readonly (readonly [string, tf.Tensor])[], mask: tf.Tensor) => {
    const tensors = [mask, ...named.map(([, x]) => x)];
    const [counts, ...arrays] = await Promise.all(tensors.map((x) => runtime.toHost(x)));
    tf.dispose(tensors);
    const counted = countedRows(counts as HostArray);
    return named.map(([name], i) => [name, rowsOf(arrays[i] as HostArray, counted)] as const);
  };
  const reads: ReturnType<typeof read>[] = [];
  await forEachBatch(runtime, input, (batch) => {
    reads.push(read(Object.entries<tf.Tensor>(valuesOf(batch)), tf.clone(batch._mask as tf.Tensor)));
  });
  const batches = await Promise.all(reads);
  const joined = (batches[0] ?? []).map(([name], i) => {
    return [name, joinRows(batches.map((rows) => rows[i]![1]))] as const;
  });
  return Object.fromEntries(joined) as Record<K, HostArray>;
}
