// Stage II: a transformer that reads an image and predicts the code of its labels, word by word (README.md).

import { z } from 'zod';
import type { CallOptions, Model } from '../../core/extensions';
import { normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import {
  causalMask,
  decoderBlock,
  type DecoderCache,
  shiftRight,
  type StepwiseDecoder,
  stepwiseDecoder,
} from '../../plugins/decoder';
import {
  convertPreLinen,
  dense,
  dropout,
  embed,
  embedPatches,
  imageOf,
  layerNorm,
  patchGrid,
} from '../../plugins/layers';
import { encoder, loadWithEncoder, posemb } from '../../plugins/vit';

const count = z.int().min(1);

export const vttOptions = z.strictObject({
  patches: z.strictObject({ size: z.tuple([count, count]) }).describe('height and width of a patch'),
  num_heads: count.default(8),
  num_layers: z.int().min(0).default(6).describe('blocks of the encoder, and of the decoder'),
  mlp_dim: count.default(2048).describe('hidden width of the MLPs'),
  dropout_rate: z.number().min(0).max(1).default(0),
  emb_dim: count.default(512).describe('width'),
  vocab_size: count.default(32_000).describe('number of words, with 0 for the start'),
  seq_len: count.default(256).describe('length of a text'),
  input_size: z.tuple([count, count]).default([256, 256]).describe('height and width of the image'),
  posemb_type: z.enum(['learn', 'sincos2d']).default('sincos2d'),
  zero_decoder_seq: z
    .boolean()
    .default(false)
    .describe('the decoder sees no words, to see what they are worth'),
});
export type VttOptions = z.output<typeof vttOptions>;

export interface Vtt extends Model {
  /** @returns float [batch, patches, emb_dim] */
  encode(scope: Scope, image: tf.Tensor, train?: boolean): tf.Tensor;
  /**
   * The logits of each word from those before it.
   * @param text int32 [batch, length]
   * @returns float [batch, length, vocab_size]
   */
  decode(scope: Scope, encoded: tf.Tensor, text: tf.Tensor, train?: boolean): tf.Tensor;
  /** The same, a word at a time. */
  stepwise(scope: Scope, encoded: tf.Tensor, length: number): StepwiseDecoder<DecoderCache>;
}

/** The model of these options. A batch has `image` and `text`. */
export function vtt(options: VttOptions): Vtt {
  const { num_heads, num_layers, mlp_dim, dropout_rate, emb_dim: width, vocab_size, input_size } = options;
  const { posemb_type: type, seq_len, patches } = options;
  const grid = patchGrid(input_size, patches.size);
  const block = { num_heads, mlp_dim, dropout: dropout_rate };

  const imagePosemb = (scope: Scope) => posemb(scope, { type, grid, width, name: 'pos_embedding_encoder' });
  const textPosemb = (scope: Scope) =>
    posemb(scope, { type, grid: [1, seq_len], width, name: 'pos_embedding_decoder' });

  const encode = (scope: Scope, image: tf.Tensor, train = false) => {
    const tokens = embedPatches(scope.child('EmbedPatches'), image, { features: width, patch: patches.size });
    const blocks = { ...block, depth: num_layers };
    return encoder(scope.child('encoder'), tf.add(tokens, imagePosemb(scope)), blocks, train).x;
  };

  const embedWords = (scope: Scope, words: tf.Tensor) => {
    const y = embed(scope.child('EmbedTargets'), words, {
      size: vocab_size,
      features: width,
      init: normal(1),
    });
    return options.zero_decoder_seq ? tf.zerosLike(y) : y;
  };

  const logitsOf = (scope: Scope, y: tf.Tensor) =>
    dense(scope.child('LogitsDense'), layerNorm(scope.child('LayerNorm'), y), vocab_size, {
      kernelInit: zeros,
    });

  const decode = (root: Scope, encoded: tf.Tensor, text: tf.Tensor, train = false) => {
    const scope = root.child('decoder');
    const length = text.shape[1] as number;
    const position = tf.slice(textPosemb(root), [0, 0, 0], [1, length, width]);
    const words = tf.add(embedWords(scope, shiftRight(text)), position);
    const masked = { ...block, mask: causalMask(length) };
    let y = dropout(scope.child('Dropout_0'), words, { rate: dropout_rate, train });
    for (let i = 0; i < num_layers; i++) {
      y = decoderBlock(scope.child(`EncDecBlock${i}`), y, encoded, masked, train);
    }
    return logitsOf(scope, y);
  };

  const stepwise = (root: Scope, encoded: tf.Tensor, length: number): StepwiseDecoder<DecoderCache> => {
    const scope = root.child('decoder');
    const scopes = Array.from({ length: num_layers }, (_, i) => scope.child(`EncDecBlock${i}`));
    return stepwiseDecoder(scopes, encoded, {
      ...block,
      width,
      length,
      embedWords: (words) => embedWords(scope, words),
      positions: textPosemb(root),
      logitsOf: (y) => logitsOf(scope, y),
    });
  };

  return {
    encode,
    decode,
    stepwise,
    load: (init, from, load) => loadWithEncoder(init, from, load, convertPreLinen),
    loadOptions: z.strictObject({
      dont_load: z.array(z.string()).default(['head/kernel', 'head/bias', 'cls']),
    }),
    apply(scope, batch, { train }: CallOptions) {
      if (!batch.text)
        throw scope.shapeError('the batch has no "text"', 'give it the words as int32 [batch, length].');
      const encoded = encode(scope, imageOf(scope, batch), train);
      return { output: decode(scope, encoded, batch.text, train), out: { encoded } };
    },
  };
}
