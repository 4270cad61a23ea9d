// Words of the dictionary that have gone out of use.

import * as tf from '../../core/tensor';

export interface Codebook {
  /** int32 [2] */
  readonly key: tf.Tensor;
  /** Sums of what was rounded to each word, float [words, dim]. */
  readonly dictionary: tf.Tensor;
  /** How often that was, float [words]. */
  readonly counts: tf.Tensor;
  readonly [more: string]: tf.Tensor;
}

/** A word and its half differ by up to this factor in each component, so that they can go different ways. */
const perturbation = 0.001;

/** While a word is rarer than `minCount`, the rarest is given half of the most frequent one. Traced; no gradient. */
export function splitRareWords(codebook: Codebook, minCount: number): Codebook {
  return tf.whileLoop(({ counts }) => tf.any(tf.less(counts, minCount)), splitMostFrequent, codebook);
}

function splitMostFrequent({ key, dictionary, counts }: Codebook): Codebook {
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
