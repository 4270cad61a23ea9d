// Gemma's blocks and last norm, for tokens of any kind: all at once, or one after the other with a cache.

import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { throughBlocks } from '../layers';
import { gemmaBlock, type KeysAndValues, type Places, rmsNorm } from './block';
import type { BlockConfig } from './options';

/** Both float32 [batch, length, width]. */
export interface Encoded {
  /** After the last block. */
  readonly encoded: tf.Tensor;
  /** After the last norm. */
  readonly pre_logits: tf.Tensor;
}

/** Keys and values of every block: [depth, batch, size, num_kv_heads, head_dim], stored as `cache_dtype`. */
export type GemmaCache = KeysAndValues;

/** The tokens that were read, and the cache that has them. */
export interface Read extends Encoded {
  readonly cache: GemmaCache;
}

export interface Backbone {
  /**
   * @param x float32 [batch, length, width]
   * @returns blocks: after each block
   */
  transform(
    scope: Scope,
    x: tf.Tensor,
    places: Places,
    train: boolean,
  ): Encoded & { readonly blocks: readonly tf.Tensor[] };
  /**
   * Reads tokens into a new cache of `size` places, the first of which they take.
   * @param x float32 [batch, length, width]
   */
  prefill(scope: Scope, x: tf.Tensor, places: Places, size: number): Read;
  /**
   * Reads one more token, into the place `index` (int32 scalar) of the cache.
   * @param x float32 [batch, 1, width]
   * @param places its mask is of the cache: bool [batch, 1, size]
   */
  extend(scope: Scope, x: tf.Tensor, places: Places, cache: GemmaCache, index: tf.Tensor): Read;
}

/** Parameters: `layers`, with a name for each block or, with `scan`, stacked; `final_norm`. */
export function backbone(config: BlockConfig): Backbone {
  const { depth, scan, remat_policy, cache_dtype } = config;
  const remat = remat_policy === 'none' ? 'everything_saveable' : remat_policy;
  const ended = (scope: Scope, encoded: tf.Tensor): Encoded => ({
    encoded,
    pre_logits: rmsNorm(scope.child('final_norm'), encoded),
  });

  const separate = (scope: Scope, i: number) => scope.child('layers').child(`${i}`);

  const transformed = (scope: Scope, x: tf.Tensor, places: Places, train: boolean): tf.Tensor[] => {
    const block = (layer: Scope, tokens: tf.Tensor) => gemmaBlock(layer, tokens, places, config, train);
    // A loop of no blocks gives what went in.
    if (scan && depth === 0) return [x];
    if (scan) {
      const body = (layer: Scope, tokens: tf.Tensor) => {
        const next = block(layer, tokens);
        return [next, next] as const;
      };
      const [last, stacked] = scope.scan<tf.Tensor, tf.Tensor>('layers', depth, body, x, { remat });
      return [...tf.unstack(stacked).slice(0, -1), last];
    }
    const outputs: tf.Tensor[] = [];
    for (let i = 0; i < depth; i++) {
      const layer = separate(scope, i);
      outputs.push(tf.remat((y: tf.Tensor) => block(layer.fresh(), y), remat)(outputs[i - 1] ?? x));
    }
    return outputs;
  };

  const stored = (x: tf.Tensor) => (cache_dtype ? tf.castStorage(x, cache_dtype) : x);
  const restored = (x: tf.Tensor) => (cache_dtype ? tf.castStorage(x, 'float32') : x);

  /** @param keep what a block's cache becomes, of the tokens' own keys and values and the cache before */
  const read = (
    scope: Scope,
    x: tf.Tensor,
    places: Places,
    keep: (own: KeysAndValues, before: KeysAndValues | undefined) => KeysAndValues,
    cache?: GemmaCache,
  ): Read => {
    const body = (layer: Scope, tokens: tf.Tensor, before: KeysAndValues | undefined) => {
      let kept: KeysAndValues | undefined;
      const next = gemmaBlock(layer, tokens, places, config, false, (own) => {
        kept = keep(own, before);
        return { key: restored(kept.key), value: restored(kept.value) };
      });
      return [next, kept as KeysAndValues] as const;
    };
    const block = (i: number) => separate(scope, i);
    const options = { depth, scan, name: 'layers', block, xs: cache };
    const [last, kept] = throughBlocks<KeysAndValues, KeysAndValues | undefined>(scope, x, body, options);
    return { ...ended(scope, last), cache: kept };
  };

  return {
    transform(scope, x, places, train) {
      const blocks = transformed(scope, x, places, train);
      return { blocks, ...ended(scope, blocks.at(-1) ?? x) };
    },
    prefill(scope, x, places, size) {
      const length = x.shape[1] as number;
      const keep = ({ key, value }: KeysAndValues) => ({ key: stored(key), value: stored(value) });
      const { cache, ...rest } = read(scope, x, places, keep);
      const padded = (kept: tf.Tensor) =>
        tf.pad(kept, [[0, 0], [0, 0], [0, size - length], [0, 0], [0, 0]]); // prettier-ignore
      return { ...rest, cache: { key: padded(cache.key), value: padded(cache.value) } };
    },
    extend(scope, x, places, cache, index) {
      const size = cache.key.shape[2] as number;
      const here = tf.reshape(tf.equal(tf.range(0, size, 1, 'int32'), index), [1, size, 1, 1]);
      const put = (own: tf.Tensor, before: tf.Tensor) => tf.where(here, stored(own), before);
      const keep = (own: KeysAndValues, before: KeysAndValues | undefined) => ({
        key: put(own.key, before!.key),
        value: put(own.value, before!.value),
      });
      return read(scope, x, places, keep, cache);
    },
  };
}
