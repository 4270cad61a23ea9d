// Drawing sequences from a model that predicts the next word: greedily, by temperature, from the best words alone.

import { catalogue } from '../../core/errors';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { takeAt, takeEach } from '../layers';

/** A model that goes from word to word, keeping what it needs of those before. */
export interface StepwiseDecoder<Cache extends Tree<tf.Tensor>> {
  /** Of the first word; every tensor has the batch axis first. */
  readonly init: Cache;
  /**
   * @param words int32 [batch]: the words at a place
   * @param index int32 scalar: the place, from 0
   * @returns logits of the words that follow: float [batch, vocabulary]
   */
  step(
    words: tf.Tensor,
    index: tf.Tensor,
    cache: Cache,
  ): { readonly logits: tf.Tensor; readonly cache: Cache };
}

export interface SamplingOptions {
  /** Of the distribution that is drawn from: above 0; `greedy` takes the best word. Default: 1. */
  readonly temperature?: number;
  /** Draw from this many best words alone; 0: from all. */
  readonly top_k?: number;
  /** Draw from the fewest best words that together have this probability; 0: from all. */
  readonly top_p?: number;
  /** Ends a sequence. Default: 1; -1: nothing does. */
  readonly eos_token?: number;
  /** Words that are never drawn. */
  readonly mask_token_ids?: readonly number[];
}

/** A temperature at which the best word is as good as certain. */
export const greedy = 1e-7;

export interface Samples {
  /** int32 [batch, length], 0 after the end of a sequence. */
  readonly sequences: tf.Tensor;
  /** Sum of the log probabilities of the words: float [batch]. */
  readonly scores: tf.Tensor;
  /** float [batch, length] */
  readonly logprobs: tf.Tensor;
}

interface Loop<Cache> {
  readonly index: tf.Tensor;
  readonly cache: Cache;
  readonly finished: tf.Tensor;
  /** int32 [batch, length + 1]: the first word is 0, the start. */
  readonly sequences: tf.Tensor;
  readonly scores: tf.Tensor;
  readonly logprobs: tf.Tensor;
  readonly key: tf.Tensor;
}

const errors = catalogue('decoder', {
  both: (v: { top_k: number; top_p: number }) => ({
    what: `Sampling can't use both top_k ${v.top_k} and top_p ${v.top_p}.`,
    fix: 'set one of them to 0.',
  }),
});

/** Effectively minus infinity. */
const never = -1e7;

/**
 * Sequences drawn word by word. A word of the prompt that isn't 0 is taken as it is. One loop of a compiled program;
 * no gradient. Traced.
 * @param prompts int32 [batch, length], ending in 0s
 * @param key int32 [2]
 */
export function sample<Cache extends Tree<tf.Tensor>>(
  decoder: StepwiseDecoder<Cache>,
  prompts: tf.Tensor,
  key: tf.Tensor,
  options: SamplingOptions = {},
): Samples {
  const { temperature = 1, top_k = 0, top_p = 0, eos_token = 1, mask_token_ids = [] } = options;
  if (top_k > 0 && top_p > 0) throw errors.both({ top_k, top_p });
  const [batch, length] = prompts.shape as [number, number];
  const places = tf.range(0, length + 1, 1, 'int32');
  const one = tf.scalar(1, 'int32');

  const draw = (key: tf.Tensor, logits: tf.Tensor): tf.Tensor => {
    const allowed = withoutWords(logits, mask_token_ids);
    if (top_k > 0) {
      const { values, indices } = tf.topk(allowed, top_k);
      return pick(indices, tf.random.categorical(key, tf.div(values, temperature)));
    }
    const likely = top_p > 0 ? nucleus(allowed, top_p) : allowed;
    return tf.cast(tf.random.categorical(key, tf.div(likely, temperature)), 'int32');
  };

  const step = (loop: Loop<Cache>): Loop<Cache> => {
    const [own, key] = tf.random.split(loop.key) as [tf.Tensor, tf.Tensor];
    const { logits, cache } = decoder.step(column(loop.sequences, loop.index), loop.index, loop.cache);
    const drawn = draw(own, logits);
    const after = tf.add(loop.index, one);
    const given = column(loop.sequences, after);
    const free = tf.equal(given, tf.scalar(0, 'int32'));
    const word = tf.where(tf.logicalAnd(free, tf.logicalNot(loop.finished)), drawn, given);
    const logprob = pick(tf.logSoftmax(logits), word);
    const ended = tf.logicalOr(loop.finished, tf.equal(drawn, tf.scalar(eos_token, 'int32')));
    return {
      index: after,
      cache,
      finished: tf.logicalAnd(free, ended),
      sequences: tf.where(tf.equal(places, after), tf.expandDims(word, 1), loop.sequences),
      scores: tf.add(loop.scores, logprob),
      logprobs: tf.where(
        tf.equal(tf.slice(places, [0], [length]), loop.index),
        tf.expandDims(logprob, 1),
        loop.logprobs,
      ),
      key,
    };
  };

  const { sequences, scores, logprobs } = tf.whileLoop<Tree<tf.Tensor> & Loop<Cache>>(
    ({ index, finished }) =>
      tf.logicalAnd(tf.less(index, tf.scalar(length, 'int32')), tf.logicalNot(tf.all(finished))),
    (loop) => step(loop) as Tree<tf.Tensor> & Loop<Cache>,
    {
      index: tf.scalar(0, 'int32'),
      cache: decoder.init,
      finished: tf.fill([batch], 0, 'bool'),
      sequences: tf.concat([tf.fill([batch, 1], 0, 'int32'), prompts], 1),
      scores: tf.fill([batch], 0),
      logprobs: tf.fill([batch, length], 0),
      key,
    } as Tree<tf.Tensor> & Loop<Cache>,
  );
  return { sequences: tf.slice(sequences, [0, 1], [batch, length]), scores, logprobs };
}

/** [batch, length] -> [batch] */
const column = (x: tf.Tensor, index: tf.Tensor) => tf.reshape(takeAt(x, index), [x.shape[0] as number]);

/** Of each row the value at its index: [batch, n], [batch] -> [batch]. */
const pick = (x: tf.Tensor, index: tf.Tensor) =>
  tf.reshape(takeEach(x, tf.expandDims(tf.cast(index, 'int32'), 1)), [x.shape[0] as number]);

function withoutWords(logits: tf.Tensor, words: readonly number[]): tf.Tensor {
  if (words.length === 0) return logits;
  const size = logits.shape[1] as number;
  const masked = tf.tensor(
    Array.from({ length: size }, (_, i) => (words.includes(i) ? 0 : 1)),
    [size],
  );
  const left = tf.mul(tf.softmax(logits), masked);
  return tf.log(tf.div(left, tf.sum(left, 1, true)));
}

/**
 * Logits with all but the fewest best words that together have this probability made impossible (Holtzman et al.,
 * arXiv:1904.09751): float [batch, vocabulary].
 */
export function nucleus(logits: tf.Tensor, probability: number): tf.Tensor {
  const sorted = tf.topk(logits, logits.shape[1] as number).values;
  const before = tf.less(tf.cumsum(tf.softmax(sorted), 1), probability);
  const last = pick(sorted, tf.sum(tf.cast(before, 'int32'), 1));
  return tf.where(tf.less(logits, tf.expandDims(last, 1)), never, logits);
}
