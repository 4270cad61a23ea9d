// Gemma, as Big Vision has it: a decoder without an encoder, all in float32, without sliding windows.

import { z } from 'zod';
import type { Batch, Model } from '../../core/extensions';
import { varianceScaling } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { causalMask } from '../decoder';
import { fromEnd } from '../layers';
import { type Backbone, backbone, type Encoded } from './backbone';
import { type Places, softcap } from './block';
import { loadGemma } from './checkpoint';
import { type GemmaOptions, resolveOptions } from './options';

export interface Gemma extends Pick<Backbone, 'prefill' | 'extend'> {
  /** Width of the tokens. */
  readonly width: number;
  /** Words as vectors, times sqrt(width): int32 [batch, length] -> float32 [batch, length, width]. */
  embed(scope: Scope, words: tf.Tensor): tf.Tensor;
  /**
   * The blocks and the last norm.
   * @param x float32 [batch, length, width]
   * @returns out: encoded and pre_logits, both of the shape of x
   */
  transform(scope: Scope, x: tf.Tensor, places: Partial<Places>, train: boolean): Encoded;
  /** float32 [batch, length, width] -> [batch, length, vocab_size], without softcap: products with the words' vectors. */
  decode(scope: Scope, preLogits: tf.Tensor): tf.Tensor;
  /** Logits within `final_logits_softcap`. */
  cap(logits: tf.Tensor): tf.Tensor;
}

/** The parts of a model of these options. */
export function gemma(options: GemmaOptions): Gemma {
  const config = resolveOptions(options);
  const { width, vocab_size, final_logits_softcap } = config;
  const { prefill, extend, ...blocks } = backbone(config);
  const init = varianceScaling({ scale: 1, mode: 'fan_in', distribution: 'normal', inAxis: 1, outAxis: 0 });
  const words = (scope: Scope) => scope.child('embedder').param('input_embedding', [vocab_size, width], init);

  return {
    width,
    prefill,
    extend,
    embed: (scope, ids) =>
      tf.mul(
        tf.gather(words(scope), fromEnd(tf.cast(ids, 'int32'), vocab_size)),
        Math.fround(Math.sqrt(width)),
      ),
    transform(scope, x, { positions, mask }, train) {
      const length = x.shape[1] as number;
      const places = {
        positions: positions ?? tf.expandDims(tf.range(0, length, 1, 'int32'), 0),
        // The original also takes it with an axis of heads, of length 1.
        mask: mask
          ? tf.cast(mask.rank === 4 ? tf.squeeze(mask, [1]) : mask, 'bool')
          : tf.expandDims(causalMask(length), 0),
      };
      const { encoded, pre_logits } = blocks.transform(scope, x, places, train);
      return { encoded, pre_logits };
    },
    decode: (scope, preLogits) => tf.einsum('btd,vd->btv', preLogits, words(scope)),
    cap: (logits) => softcap(logits, final_logits_softcap),
  };
}

/**
 * Words to logits of those that follow. Batch: `tokens` int32 [batch, length]; optionally `embedded_prefix` float32
 * [batch, prefix, width], `positions` int32 [batch, length] and `mask` bool [batch, length, length] of all together; or
 * `pre_logits` alone. With `embed_only` the output is what the blocks would get.
 */
export function gemmaModel(options: GemmaOptions): Model {
  const { embed, transform, decode, cap } = gemma(options);
  return {
    apply(scope, batch: Batch, { train, embed_only }) {
      const { tokens, embedded_prefix, positions, mask, pre_logits } = batch;
      if (pre_logits) {
        const logits = decode(scope, pre_logits);
        return { output: logits, out: { pre_logits, logits } };
      }
      const parts = [embedded_prefix, tokens && embed(scope, tokens)].filter((part) => part !== undefined);
      const x = parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts, 1);
      if (embed_only) return { output: x, out: {} };
      const found: NestedRecord<tf.Tensor> = { ...transform(scope, x, { positions, mask }, train) };
      const logits_pre_norm = decode(scope, found.pre_logits as tf.Tensor);
      const logits = cap(logits_pre_norm);
      return { output: logits, out: { ...found, logits_pre_norm, logits } };
    },
    load: (init, from, { dont_load }) => loadGemma(init, from as string, dont_load),
    callOptions: z.strictObject({ embed_only: z.boolean().default(false) }),
  };
}
