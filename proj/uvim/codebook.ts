// The dictionary of stage I: words, what is rounded to them, and how they are learned.

import { normal, ones } from '../../core/layers/init';
import type { Scope, Variable } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';

export interface Codebook {
  /** Discounted sums of what was rounded to each word: float [words, dim]. */
  readonly dictionary: Variable;
  /** How often that was: float [words]. */
  readonly counts: Variable;
}

/** State of the model: `dictionary` and `counts`. */
export const codebookOf = (
  scope: Scope,
  { words, dim }: { readonly words: number; readonly dim: number },
): Codebook => ({
  dictionary: scope.variable('dictionary', [words, dim], normal(1 / Math.sqrt(words))),
  counts: scope.variable('counts', [words], ones),
});

/** The words, of length 1: float [words, dim]. */
export function wordsOf({ dictionary, counts }: Codebook): tf.Tensor {
  const means = tf.div(dictionary.value, tf.expandDims(counts.value, 1));
  return tf.div(means, tf.sqrt(tf.sum(tf.square(means), -1, true)));
}

/**
 * The nearest words. Their gradient goes on to what they stand for, as if nothing had been rounded.
 * @param x float [batch, length, dim]
 * @param words float [words, dim]
 * @returns rounded: as x; code: int32 [batch, length]
 */
export function quantize(
  x: tf.Tensor,
  words: tf.Tensor,
): { readonly rounded: tf.Tensor; readonly code: tf.Tensor } {
  const [batch, length, dim] = x.shape as [number, number, number];
  const rows = tf.stopGradient(tf.reshape(x, [batch * length, dim]));
  const distance = tf.add(
    tf.sub(tf.sum(tf.square(rows), 1, true), tf.mul(2, tf.matMul(rows, words, false, true))),
    tf.sum(tf.square(words), 1),
  );
  const code = tf.reshape(tf.cast(tf.argMin(distance, 1), 'int32'), [batch, length]);
  return { rounded: tf.add(tf.stopGradient(tf.sub(tf.gather(words, code), x)), x), code };
}

/**
 * The dictionary as running means (arXiv:1711.00937, appendix A.1). Words that hardly anything is rounded to any more are
 * replaced.
 * @returns how much the words are used in this batch: scalars
 */
export function learnWords(
  scope: Scope,
  { dictionary, counts }: Codebook,
  { bottleneck, code }: { readonly bottleneck: tf.Tensor; readonly code: tf.Tensor },
  {
    dict_momentum: momentum,
    min_count,
    update,
  }: { readonly dict_momentum: number; readonly min_count: number; readonly update: boolean },
): NestedRecord<tf.Tensor> {
  const [size, dim] = dictionary.value.shape as [number, number];
  const words = tf.reshape(code, [-1]) as tf.Tensor1D;
  const sums = tf.unsortedSegmentSum(tf.reshape(tf.stopGradient(bottleneck), [-1, dim]), words, size);
  const found = tf.unsortedSegmentSum(tf.onesLike(words), words, size);
  if (update) {
    const state = splitRareWords(
      {
        key: scope.rng('vqvae'),
        dictionary: tf.add(tf.mul(dictionary.value, momentum), sums),
        counts: tf.add(tf.mul(counts.value, momentum), tf.cast(found, 'float32')),
      },
      min_count,
    );
    dictionary.set(state.dictionary);
    counts.set(state.counts);
  }
  const unused = tf.cast(tf.equal(found, tf.scalar(0, 'int32')), 'float32');
  return {
    codebook_max_ratio: tf.div(tf.cast(tf.max(found), 'float32'), tf.cast(tf.sum(found), 'float32')),
    codebook_zeros_ratio: tf.mean(unused),
  };
}

type Words = {
  /** int32 [2] */
  readonly key: tf.Tensor;
  readonly dictionary: tf.Tensor;
  readonly counts: tf.Tensor;
};

/** A word and its half differ by up to this factor in each component, so that they can go different ways. */
const perturbation = 0.001;

/** While a word is rarer than `minCount`, the rarest is given half of the most frequent one. Traced; no gradient. */
function splitRareWords(words: Words, minCount: number): Words {
  return tf.whileLoop(({ counts }) => tf.any(tf.less(counts, minCount)), splitMostFrequent, words);
}

function splitMostFrequent({ key, dictionary, counts }: Words): Words {
  const [next, own] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
  const [words, dim] = dictionary.shape as [number, number];
  const index = tf.range(0, words, 1, 'int32');
  const [most, least] = [tf.argMax(counts), tf.argMin(counts)].map((x) => tf.cast(x, 'int32'));
  const [isMost, isLeast] = [tf.equal(index, most as tf.Tensor), tf.equal(index, least as tf.Tensor)];
  const factors = tf.random.uniform(own, [dim], 1 - perturbation, 1 + perturbation);
  const copy = tf.mul(tf.gather(dictionary, most as tf.Tensor1D), factors);
  const halve = (x: tf.Tensor, where: tf.Tensor) => tf.where(where, tf.div(x, 2), x);
  const column = (is: tf.Tensor) => tf.expandDims(is, 1);
  const copied = tf.where(column(isLeast), copy, dictionary);
  const counted = tf.where(isLeast, tf.div(tf.gather(counts, most as tf.Tensor1D), 2), counts);
  return {
    key: next,
    dictionary: halve(halve(copied, column(isLeast)), column(isMost)),
    counts: halve(counted, isMost),
  };
}
