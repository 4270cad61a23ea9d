// The prompt is read into a cache as a whole, and then one word after the other.

import type { Batch } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { GemmaCache } from '../../plugins/gemma';
import { takeEach } from '../../plugins/layers';
import { blockMask } from './mask';
import type { Paligemma } from './model';

/** What has been read: the batch is on the second axis of the cache and on the first of all else. */
export interface Reading {
  readonly cache: GemmaCache;
  /** int32 [batch]: the first place of the cache that is in use. */
  readonly begin: tf.Tensor;
  /** int32 scalar: the first place that is free. */
  readonly end: tf.Tensor;
}

/** With logits of the next word: float [batch, vocab_size]. */
export type Step = { readonly reading: Reading; readonly logits: tf.Tensor };

/**
 * Prompts end at the same place of the cache, so that all examples go on at the same one: tokens are moved to the right end.
 * @param batch image; text, mask_ar and mask_input int32 [batch, length], padding (0 in mask_input) at the end
 * @param room how many words may follow
 */
export function prefill(model: Paligemma, scope: Scope, batch: Batch, room: number): Step {
  const { image, text, mask_ar, mask_input } = batch as Record<
    'image' | 'text' | 'mask_ar' | 'mask_input',
    tf.Tensor
  >;
  const { x, maskAr, prefix } = model.prompt(scope, image, text, mask_ar);
  const [examples, length, width] = x.shape as [number, number, number];
  const valid = tf.concat([tf.fill([examples, prefix], 1, 'int32'), tf.cast(mask_input, 'int32')], 1);
  const count = tf.sum(valid, 1);
  const places = tf.expandDims(tf.range(0, length, 1, 'int32'), 0);
  const from = tf.mod(tf.add(places, tf.expandDims(count, 1)), tf.scalar(length, 'int32'));
  const rightAligned = (tokens: tf.Tensor) => takeEach(tokens, from);

  const isToken = rightAligned(valid);
  const language = scope.child('llm');
  const { pre_logits, cache } = model.llm.prefill(
    language,
    rightAligned(x),
    {
      positions: tf.sub(tf.cumsum(isToken, 1), tf.scalar(1, 'int32')),
      mask: blockMask(tf.cast(isToken, 'bool'), rightAligned(tf.cumsum(maskAr, 1))),
    },
    length + room,
  );
  const last = tf.slice(pre_logits, [0, length - 1, 0], [examples, 1, width]);
  const end = tf.scalar(length, 'int32');
  return {
    reading: { cache, begin: tf.sub(end, count), end },
    // Without softcap, as in the original.
    logits: tf.squeeze(model.llm.decode(language, last), [1]),
  };
}

/**
 * Reads one more word of each example, which sees all before it.
 * @param words int32 [batch]
 */
export function extend(
  model: Paligemma,
  scope: Scope,
  { cache, begin, end }: Reading,
  words: tf.Tensor,
): Step {
  const language = scope.child('llm');
  const size = cache.key.shape[2] as number;
  const places = tf.reshape(tf.range(0, size, 1, 'int32'), [1, 1, size]);
  const first = tf.reshape(begin, [-1, 1, 1]);
  const mask = tf.logicalAnd(tf.greaterEqual(places, first), tf.lessEqual(places, end));
  const positions = tf.expandDims(tf.sub(end, begin), 1);
  const x = model.llm.embed(language, tf.expandDims(words, 1));
  const read = model.llm.extend(language, x, { positions, mask }, cache, end);
  return {
    reading: { cache: read.cache, begin, end: tf.add(end, tf.scalar(1, 'int32')) },
    logits: tf.squeeze(model.llm.cap(model.llm.decode(language, read.pre_logits)), [1]),
  };
}

/** Of other examples, or of the same ones several times: `rows` int32 [n]. */
export function rowsOfReading({ cache, begin, end }: Reading, rows: tf.Tensor): Reading {
  const ofCache = (kept: tf.Tensor) => tf.gather(kept, rows as tf.Tensor1D, 1);
  return {
    cache: { key: ofCache(cache.key), value: ofCache(cache.value) },
    begin: tf.gather(begin, rows as tf.Tensor1D),
    end,
  };
}
