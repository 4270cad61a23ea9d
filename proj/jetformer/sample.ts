// Drawing: images from texts token by token, and texts from images word by word. What comes first is read into a cache.

import { foldPath, type Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { GemmaCache } from '../../plugins/gemma';
import { guided, type Temperatures } from '../../plugins/mixture';
import { type Jetformer, type TextAndImage, wordLogProbs } from './model';
import { positionsOf } from './sequence';

/** A token of each row, [rows, 1, out_dim] or a word [rows, 1], and its logarithm of density: float [rows, 1]. */
type Drawn = { readonly token: tf.Tensor; readonly logProb: tf.Tensor };

interface Drawing {
  /** @param state float [rows, 1, width]: what the heads take @param key int32 [2] */
  draw(state: tf.Tensor, key: tf.Tensor): Drawn;
  /** A drawn token as the blocks read it: float [rows, 1, width]. */
  embed(token: tf.Tensor): tf.Tensor;
}

export interface Sampled {
  /** Float [batch, length, out_dim], or words as int32 [batch, length]. */
  readonly tokens: tf.Tensor;
  /** float [batch, length] */
  readonly logProbs: tf.Tensor;
}

export interface ImageSampling extends Temperatures {
  /** Of guidance by the text; 0: none. */
  readonly guidance?: number;
  /** Tokens that are drawn. */
  readonly length: number;
}

/**
 * The tokens of images, drawn from texts. Traced; no gradient.
 * @param text int32 [batch, words]
 * @param textMask bool [batch, words]; default: all words count
 * @param key int32 [2]
 */
export function sampleImages(
  model: Jetformer,
  scope: Scope,
  { text, textMask }: Pick<TextAndImage, 'text' | 'textMask'>,
  key: tf.Tensor,
  { guidance = 0, length, ...temperatures }: ImageSampling,
): Sampled {
  const size = text.shape[0] as number;
  // With guidance every text has a second row, without it.
  const rows = guidance > 0 ? 2 * size : size;
  const twice = <T extends tf.Tensor | undefined>(x: T) => (guidance > 0 && x ? tf.concat([x, x]) : x);
  const given = {
    text: twice(text),
    textMask: twice(textMask),
    image: tf.fill([rows, 0, model.options.out_dim], 0),
    textFirst: tf.fill([rows], 1, 'bool'),
    ...(guidance > 0 && {
      dropPrefix: tf.concat([tf.fill([size], 0, 'bool'), tf.fill([size], 1, 'bool')]),
    }),
  };
  const densityOf = (logits: tf.Tensor) => model.distribution(logits, temperatures);
  const draw = (state: tf.Tensor, key: tf.Tensor): Drawn => {
    const logits = model.imageLogits(scope, state);
    if (guidance === 0) {
      const density = densityOf(logits);
      const token = density.sample(key);
      return { token, logProb: density.logProb(token) };
    }
    const [known, free] = tf.split(logits, 2) as [tf.Tensor, tf.Tensor];
    const density = guided(densityOf(known), densityOf(free), guidance, key);
    const token = density.sample(key);
    return { token: twice(token), logProb: twice(tf.sum(density.logProb(token), 2)) };
  };
  const embed = (token: tf.Tensor) => model.embedImage(scope, token);
  const { tokens, logProbs } = continued(model, scope, given, { draw, embed }, length, key);
  const own = (x: tf.Tensor) => (guidance > 0 ? (tf.split(x, 2)[0] as tf.Tensor) : x);
  return { tokens: own(tokens), logProbs: own(logProbs) };
}

/**
 * Words after images and perhaps words. Their probabilities are those without the temperature. Traced; no gradient.
 * @param image float [batch, tokens, out_dim]
 * @param text int32 [batch, words], of which those of textMask are given
 */
export function sampleTexts(
  model: Jetformer,
  scope: Scope,
  { image, text, textMask }: Pick<TextAndImage, 'image' | 'textMask'> & { readonly text?: tf.Tensor },
  key: tf.Tensor,
  { temperature = 1, length }: { readonly temperature?: number; readonly length: number },
): Sampled {
  const size = image.shape[0] as number;
  const words = text ?? tf.fill([size, 0], 0, 'int32');
  const given = { image, text: words, textMask, textFirst: tf.fill([size], 0, 'bool') };
  const draw = (state: tf.Tensor, key: tf.Tensor): Drawn => {
    const logits = model.textLogits(scope, state);
    const token = tf.cast(tf.random.categorical(key, tf.logSoftmax(tf.div(logits, temperature))), 'int32');
    return { token, logProb: wordLogProbs(logits, token) };
  };
  const embed = (token: tf.Tensor) => model.embedWords(scope, token);
  return continued(model, scope, given, { draw, embed }, length, key);
}

/** Reads a first part, then draws `length` tokens. */
function continued(
  model: Jetformer,
  scope: Scope,
  given: TextAndImage,
  { draw, embed }: Drawing,
  length: number,
  key: tf.Tensor,
): Sampled {
  const { x, valid, mask } = model.sequence(scope, given, false);
  const prefix = x.shape[1] as number;
  const size = prefix + length - 1;
  const positions = positionsOf(valid);
  const read = model.blocks.prefill(scope, x, { positions, mask }, size);
  // Padding may come last: the first token is drawn from the last one that counts.
  const isLast = tf.logicalAnd(tf.equal(positions, tf.max(positions, 1, true)), valid);
  const last = tf.einsum('bn,bnd->bd', tf.cast(isLast, 'float32'), model.headInput(read));
  const keys = keysOf(key, length);
  const first = draw(tf.expandDims(last, 1), keys.first);
  if (length === 1) return { tokens: first.token, logProbs: first.logProb };

  const place = tf.reshape(tf.range(0, size, 1, 'int32'), [1, size]);
  const counted = tf.cast(valid, 'int32');
  const seen = tf.greater(tf.pad(counted, [[0, 0], [0, size - prefix]]), tf.scalar(0, 'int32')); // prettier-ignore
  const after = tf.sum(counted, 1, true);
  const begin = tf.scalar(prefix, 'int32');

  type Carry = { readonly token: tf.Tensor; readonly cache: GemmaCache };
  type Slice = { readonly drawn: tf.Tensor; readonly key: tf.Tensor };
  const step = ({ token, cache }: Carry, { drawn, key }: Slice): readonly [Carry, Drawn] => {
    const index = tf.add(begin, drawn);
    const own = tf.logicalAnd(tf.greaterEqual(place, begin), tf.lessEqual(place, index));
    const places = { positions: tf.add(after, drawn), mask: tf.expandDims(tf.logicalOr(seen, own), 1) };
    const next = model.blocks.extend(scope, embed(token), places, cache, index);
    const chosen = draw(model.headInput(next), key);
    return [{ token: chosen.token, cache: next.cache }, chosen];
  };
  const slices = { drawn: tf.range(0, length - 1, 1, 'int32'), key: keys.rest };
  const [, rest] = tf.scan<Carry, Slice, Drawn>(step, { token: first.token, cache: read.cache }, slices);
  const joined = (one: tf.Tensor, others: tf.Tensor) => tf.concat([one, ...tf.unstack(others)], 1);
  return { tokens: joined(first.token, rest.token), logProbs: joined(first.logProb, rest.logProb) };
}

/** A key for each token, as Flax's stream has them: the first before a lifted scan, the others in it. */
function keysOf(key: tf.Tensor, length: number): { readonly first: tf.Tensor; readonly rest: tf.Tensor } {
  return {
    first: tf.random.foldIn(key, foldPath([1])),
    rest: tf.random.foldIn(tf.random.splitStacked(key, Math.max(length - 1, 1)), foldPath([3])),
  };
}
