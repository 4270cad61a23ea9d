// Recall of retrieval: what share of the queries have a right answer among their nearest.

import { type HostArray, hostArray } from '../../../core/array';
import { batchParts, batchSharding, type Jitted, type Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { rowsOf } from '../../../plugins/evaluators';

export const recallThresholds = [1, 5, 10] as const;
export type Recalls = Readonly<Record<`Recall@${(typeof recallThresholds)[number]}`, number>>;

/** Embeddings [rows, width], and the number of the image that each row is or describes (int32 [rows]). */
export interface Embedded {
  readonly embeddings: HostArray;
  readonly id: HostArray;
}

const never = 2 ** 31 - 1;

/**
 * How many candidates come before the best right one: int32 [queries], 2^31 - 1 where none is right. Among equal distances
 * the earlier candidate comes first (the original leaves that to NumPy's sort, whose order of equals depends on the
 * processor); NaN is as far as can be. distances: [queries, candidates]; a candidate is right that has its query's id
 * (int32).
 */
export function ranksOfBest(raw: tf.Tensor, queryIds: tf.Tensor, candidateIds: tf.Tensor): tf.Tensor {
  const distances = tf.where(tf.isNaN(raw), Infinity, raw);
  const candidates = candidateIds.shape[0] as number;
  const right = tf.equal(tf.expandDims(queryIds, 1), tf.expandDims(candidateIds, 0));
  const place = tf.expandDims(tf.range(0, candidates, 1, 'int32'), 0);
  const best = tf.min(tf.where(right, distances, Infinity), 1, true);
  const isBest = tf.logicalAnd(right, tf.equal(distances, best));
  const bestPlace = tf.min(tf.where(isBest, place, tf.scalar(candidates, 'int32')), 1, true);
  const before = tf.logicalOr(
    tf.less(distances, best),
    tf.logicalAnd(tf.equal(distances, best), tf.less(place, bestPlace)),
  );
  const found = tf.any(right, 1);
  return tf.where(found, tf.sum(tf.cast(before, 'int32'), 1), tf.scalar(never, 'int32'));
}

/** The shares of queries whose rank is among the best 1, 5 and 10. */
export function recallsOf(ranks: ArrayLike<number>): Recalls {
  const share = (k: number) => Array.from(ranks).filter((rank) => rank < k).length / ranks.length;
  return Object.fromEntries(recallThresholds.map((k) => [`Recall@${k}`, share(k)])) as Recalls;
}

type Nearness = Jitted<[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor>;

/** Ranks of queries among candidates by inner product: a program for each number of candidates. */
export function nearness(runtime: Runtime, name: string): Nearness {
  return runtime.jit(
    (queries: tf.Tensor, queryIds: tf.Tensor, candidates: tf.Tensor, candidateIds: tf.Tensor) =>
      ranksOfBest(tf.neg(tf.matMul(queries, candidates, false, true)), queryIds, candidateIds),
    { name: `evals.${name}` },
  );
}

/** Queries of one call, on each device: bounds the memory for distances, which are to all candidates. */
const queriesPerDevice = 256;

/** The rank of each query's best right candidate, as `ranksOfBest` gives it. */
export async function ranksAmong(
  runtime: Runtime,
  ranks: Nearness,
  queries: Embedded,
  candidates: Embedded,
): Promise<number[]> {
  const rows = queries.id.data.length;
  const split = batchSharding(runtime.mesh);
  const block = queriesPerDevice * batchParts(runtime.mesh);
  const all = [candidates.embeddings, candidates.id].map((array) => runtime.toDevice(array));
  const found: number[] = [];
  for (let start = 0; start < rows; start += block) {
    // The last block is filled up with its first query.
    const chosen = Array.from({ length: block }, (_, i) => (start + i < rows ? start + i : start));
    const part = [queries.embeddings, queries.id].map((array) =>
      runtime.toDevice(rowsOf(array, chosen), split),
    );
    const [embeddings, ids] = part as [tf.Tensor, tf.Tensor];
    const [candidateEmbeddings, candidateIds] = all as [tf.Tensor, tf.Tensor];
    const result = ranks(embeddings, ids, candidateEmbeddings, candidateIds);
    const { data } = await runtime.toHost(result);
    tf.dispose([result, ...part]);
    found.push(...Array.from(data as ArrayLike<number>).slice(0, rows - start));
  }
  tf.dispose(all);
  return found;
}

/** Of distances [images, texts] on their own; `imageOf`: the row of each text's image. */
export async function recallsOfDistances(
  runtime: Runtime,
  distances: HostArray,
  imageOf: HostArray,
): Promise<{ readonly img2txt: Recalls; readonly txt2img: Recalls }> {
  const [images] = distances.shape as [number];
  const rows = hostArray(
    'int32',
    [images],
    Array.from({ length: images }, (_, i) => i),
  );
  const both = runtime.jit(
    (d: tf.Tensor, row: tf.Tensor, image: tf.Tensor) => [
      ranksOfBest(d, row, image),
      ranksOfBest(tf.transpose(d), image, row),
    ],
    { name: 'recalls of distances' },
  );
  const ranks = both(runtime.toDevice(distances), runtime.toDevice(rows), runtime.toDevice(imageOf));
  const [img2txt, txt2img] = await Promise.all(
    ranks.map(async (x) => recallsOf((await runtime.toHost(x)).data as Int32Array)),
  );
  return { img2txt: img2txt as Recalls, txt2img: txt2img as Recalls };
}
