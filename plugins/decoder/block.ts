// Blocks of a transformer decoder that reads an image: on a whole text in training, or word by word.

import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import {
  attendTo,
  dropout,
  type KeysAndValues,
  keysAndValues,
  layerNorm,
  mlpBlock,
  multiHeadAttention,
  queries,
  takeAt,
} from '../layers';
import type { StepwiseDecoder } from './sample';

export interface DecoderBlockOptions {
  readonly num_heads: number;
  readonly mlp_dim: number;
  readonly dropout?: number;
  /** Of layer norms and the MLP; attention has none. Default: true. */
  readonly use_bias?: boolean;
  /** Of the MLP alone. Default: as `use_bias`. */
  readonly mlp_bias?: boolean;
}

/**
 * One block (pre-LN): self-attention, attention to what was encoded if anything was, and an MLP, each added to what came
 * in. Parameters: `LayerNorm1`, `SelfAttn`, `LayerNorm2`, `CrossAttn`, `LayerNorm3`, `MLP`.
 * @param y float [batch, length, width]
 * @param encoded float [batch, patches, width']
 * @param mask bool, broadcast against [batch, heads, length, length]: which words see which; absent: all see all
 * @returns float [batch, length, width]
 */
export function decoderBlock(
  scope: Scope,
  y: tf.Tensor,
  encoded: tf.Tensor | undefined,
  { mask, ...options }: DecoderBlockOptions & { readonly mask?: tf.Tensor },
  train: boolean,
): tf.Tensor {
  const { num_heads: heads, dropout: rate = 0, use_bias: useBias } = options;
  const drop = { rate, train };
  const attention = { heads, useBias: false, dropout: drop };
  const q = layerNorm(scope.child('LayerNorm1'), y, { useBias });
  const self = multiHeadAttention(scope.child('SelfAttn'), { q }, { ...attention, mask });
  let seen = tf.add(dropout(scope.child('Dropout_0'), self, drop), y);
  if (encoded) {
    const inputs = { q: layerNorm(scope.child('LayerNorm2'), seen, { useBias }), kv: encoded };
    const cross = multiHeadAttention(scope.child('CrossAttn'), inputs, attention);
    seen = tf.add(dropout(scope.child('Dropout_1'), cross, drop), seen);
  }
  return tf.add(seen, mlp(scope, seen, options, train));
}

function mlp(scope: Scope, y: tf.Tensor, options: DecoderBlockOptions, train: boolean): tf.Tensor {
  const { mlp_dim: mlpDim, dropout: rate, use_bias, mlp_bias = use_bias } = options;
  const normed = layerNorm(scope.child('LayerNorm3'), y, { useBias: use_bias });
  return mlpBlock(scope.child('MLP'), normed, { mlpDim, dropout: rate, train, useBias: mlp_bias });
}

/** Keys and values of attention without biases, as a block has it. */
const unbiased = (width: number, heads: number) => ({
  heads,
  useBias: false,
  qkvFeatures: width,
  outFeatures: width,
});

/** Of a block, the keys and values of what was encoded: for `decoderBlockStep`. */
export const encodedKeysAndValues = (
  scope: Scope,
  encoded: tf.Tensor,
  { width, num_heads }: { readonly width: number; readonly num_heads: number },
): KeysAndValues => keysAndValues(scope.child('CrossAttn'), encoded, unbiased(width, num_heads));

/**
 * A block on one word, which sees itself and those before: what `decoderBlock` gives at its place with a causal mask.
 * @param y float [batch, 1, width]
 * @param index int32 scalar: the place of the word
 * @param before of the words before it, in a cache of the whole text's length
 * @param ofEncoded what `encodedKeysAndValues` gives
 * @returns float [batch, 1, width], and the cache with this word
 */
export function decoderBlockStep(
  scope: Scope,
  y: tf.Tensor,
  {
    index,
    before,
    ofEncoded,
  }: { readonly index: tf.Tensor; readonly before: KeysAndValues; readonly ofEncoded?: KeysAndValues },
  options: DecoderBlockOptions,
): readonly [tf.Tensor, KeysAndValues] {
  const { num_heads, use_bias: useBias } = options;
  const attention = unbiased(y.shape[2] as number, num_heads);
  const length = before.key.shape[2] as number;
  const place = tf.reshape(tf.range(0, length, 1, 'int32'), [length, 1]);
  const here = tf.equal(place, index);
  const mask = tf.reshape(tf.lessEqual(place, index), [1, length]);
  const [self, cross] = [scope.child('SelfAttn'), scope.child('CrossAttn')];

  const q = layerNorm(scope.child('LayerNorm1'), y, { useBias });
  const own = keysAndValues(self, q, attention);
  const known = {
    key: tf.where(here, own.key, before.key),
    value: tf.where(here, own.value, before.value),
  };
  let seen = tf.add(attendTo(self, queries(self, q, attention), known, { ...attention, mask }), y);
  if (ofEncoded) {
    const query = queries(cross, layerNorm(scope.child('LayerNorm2'), seen, { useBias }), attention);
    seen = tf.add(attendTo(cross, query, ofEncoded, attention), seen);
  }
  return [tf.add(seen, mlp(scope, seen, { ...options, dropout: 0 }, false)), known];
}

/** Words see themselves and those before: bool [length, length]. */
export function causalMask(length: number): tf.Tensor {
  const index = tf.range(0, length, 1, 'int32');
  return tf.greaterEqual(tf.expandDims(index, 1), index);
}

/** The word before each, 0 before the first: int32 [batch, length]. */
export function shiftRight(text: tf.Tensor): tf.Tensor {
  const [batch, length] = text.shape as [number, number];
  const words = tf.cast(text, 'int32');
  return tf.concat([tf.fill([batch, 1], 0, 'int32'), tf.slice(words, [0, 0], [batch, length - 1])], 1);
}

/** Of each block, the keys and values of the words so far: float [batch, heads, length, size]. */
export type DecoderCache = readonly KeysAndValues[];

/** What a decoder has beside its blocks. */
export interface DecoderParts extends DecoderBlockOptions {
  readonly width: number;
  readonly length: number;
  /** int32 [batch, 1] -> float [batch, 1, width] */
  embedWords(words: tf.Tensor): tf.Tensor;
  /** Added to words: float [1, length, width]. */
  readonly positions: tf.Tensor;
  /** float [batch, 1, width] -> [batch, 1, vocabulary] */
  logitsOf(y: tf.Tensor): tf.Tensor;
}

/** A decoder that goes through a text word by word, and gives what `decoderBlock` gives with a causal mask. */
export function stepwiseDecoder(
  scopes: readonly Scope[],
  encoded: tf.Tensor,
  { embedWords, positions, logitsOf, width, length, ...options }: DecoderParts,
): StepwiseDecoder<DecoderCache> {
  const { num_heads } = options;
  const blank = tf.fill([encoded.shape[0] as number, num_heads, length, width / num_heads], 0);
  const ofImage = scopes.map((scope) => encodedKeysAndValues(scope, encoded, { width, num_heads }));
  return {
    init: scopes.map(() => ({ key: blank, value: blank })),
    step(words, index, before) {
      const position = takeAt(positions, index);
      let y = tf.add(embedWords(tf.expandDims(words, 1)), position);
      const cache = scopes.map((scope, i) => {
        const known = { index, before: before[i]!, ofEncoded: ofImage[i]! };
        const [next, own] = decoderBlockStep(scope, y, known, options);
        y = next;
        return own;
      });
      return { logits: tf.squeeze(logitsOf(y), [1]), cache };
    },
  };
}
