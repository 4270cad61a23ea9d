// Stage I: a VQ-VAE of ViTs that puts the labels of an image into a short sequence of code words (README.md).

import { z } from 'zod';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import type { CallOptions, Model, ParamArrays } from '../../core/extensions';
import { normal, ones, xavierUniform, zeros } from '../../core/layers/init';
import type { Scope, Variable } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import {
  codeDropout,
  codeDropouts,
  convertPreLinen,
  dense,
  denseGeneral,
  embedPatches,
  layerNorm,
  patchGrid,
  regroupTokens,
} from '../../plugins/layers';
import { encoder, posemb } from '../../plugins/vit';
import { splitRareWords } from './codebook';

const count = z.int().min(1);
const pair = z.tuple([count, count]);
const shapes = z.record(z.string(), z.array(count).min(1));

/** Of an encoder and a decoder that are ViTs. */
export const halvesFields = {
  width: count.default(768),
  enc_depth: count.default(6).describe('blocks of the encoder'),
  dec_depth: count.default(6).describe('blocks of the decoder'),
  mlp_dim: count.nullable().default(null).describe('hidden width of the MLPs; null: 4 times the width'),
  num_heads: count.default(12),
  posemb: z.enum(['learn', 'sincos2d']).default('learn'),
};

export const uvimVitOptions = z.strictObject({
  inputs: shapes.describe('for each part of the labels its shape in a patch: {depth: [256, 64]}'),
  outputs: shapes.describe('for each part of the prediction its shape in a patch'),
  input_size: pair.default([256, 256]).describe('height and width of the labels'),
  patch_size: pair.default([8, 8]).describe('height and width of a patch, of labels and of the image'),
  code_len: count.default(256).describe('number of code words of an image'),
  ...halvesFields,
  rep_size: z.union([z.int(), z.boolean()]).default(false).describe('without effect, as in the original'),
  dropout: z.number().min(0).max(1).default(0).describe('in the encoder'),
  reinit: z.array(z.string()).nullable().default(null).describe('without effect, as in the original'),
  head_zeroinit: z.boolean().default(true).describe('heads start at zero'),
  dict_size: count.default(512).describe('number of words in the dictionary'),
  codeword_dim: count.nullable().default(null).describe('width of a word; null: the width'),
  dict_momentum: z.number().min(0).max(1).default(0.995).describe('of the running sums and counts of words'),
  quantize: z.boolean().default(true).describe('false: the decoder gets the code before it is rounded'),
  statistics_axis_name: z
    .string()
    .nullable()
    .default('batch')
    .describe('without effect: words are always counted over the whole batch'),
  min_count: z
    .number()
    .min(0)
    .default(0.1)
    .describe('words that are rarer get half of the most frequent word'),
  with_encoder_ctx: z.boolean().default(false).describe('the encoder sees the image'),
  with_decoder_ctx: z.boolean().default(false).describe('the decoder sees the image'),
  code_dropout: z
    .enum(codeDropouts)
    .default('none')
    .describe('in training zeroes a random number of words: the last ones, or any'),
  bottleneck_resize: z
    .boolean()
    .default(false)
    .describe('the code is a resized grid of tokens; otherwise tokens are mixed by a learned matrix'),
  zero_decoder_seq: z.boolean().default(false).describe('the decoder gets no code, to see what it is worth'),
});
export type UvimVitOptions = z.output<typeof uvimVitOptions>;

export interface CodeCall {
  /** float [batch, height, width, channels]: the image. */
  readonly ctx?: tf.Tensor;
  readonly train?: boolean;
  /** In training: learn the dictionary. */
  readonly update_dict?: boolean;
}

/** What a call of the model or of one of its halves gives beside its result. */
type Out = NestedRecord<tf.Tensor>;

export interface UvimVit extends Model {
  /**
   * Labels as a code.
   * @param x by the names of `inputs`: float [batch, patches, ...shape]
   * @returns x: float [batch, code_len, codeword_dim]; out.code: int32 [batch, code_len]
   */
  encode(
    scope: Scope,
    x: Readonly<Record<string, tf.Tensor>>,
    call: CodeCall,
  ): { readonly x: tf.Tensor; readonly out: Out };
  /**
   * Predictions of a code.
   * @param x int32 [batch, code_len], or float [batch, code_len, codeword_dim]
   * @returns by the names of `outputs`: float [batch, patches, ...shape]
   */
  decode(scope: Scope, x: tf.Tensor, call: CodeCall): Readonly<Record<string, tf.Tensor>>;
}

/** What the model keeps at its root, in the order in which the original asks for it: initial values depend on it. */
interface Root {
  readonly encoderPosemb: tf.Tensor;
  readonly decoderPosemb: tf.Tensor;
  /** [patches, code_len] and back; absent where the code is a resized grid. */
  readonly downsample?: tf.Tensor;
  readonly upsample?: tf.Tensor;
  /** Discounted sums of what was rounded to each word [words, dim], and how often it was [words]. */
  readonly dictionary: Variable;
  readonly counts: Variable;
}

/** The model of these options. In a batch the labels are named `x/NAME`, and the image `ctx`. */
export function uvimVit(options: UvimVitOptions): UvimVit {
  const { width, code_len, dict_size, input_size, patch_size, posemb: type, dropout } = options;
  const { num_heads, mlp_dim, codeword_dim } = options;
  const grid = patchGrid(input_size, patch_size);
  const patches = grid[0] * grid[1];
  const wordDim = codeword_dim ?? width;
  const side = Math.round(Math.sqrt(code_len));
  const codeGrid = [side, side] as const;
  const blocks = { num_heads, mlp_dim, dropout };

  const rootOf = (scope: Scope): Root => {
    const posembNamed = (name: string) => posemb(scope, { type, grid, width, name });
    const mixing = (name: string, shape: readonly number[]) =>
      options.bottleneck_resize ? undefined : scope.param(name, shape, xavierUniform());
    const encoderPosemb = posembNamed('pos_embedding_encoder');
    const downsample = mixing('bottleneck_downsample', [patches, code_len]);
    const dictionary = scope.variable('dictionary', [dict_size, wordDim], normal(1 / Math.sqrt(dict_size)));
    const counts = scope.variable('counts', [dict_size], ones);
    const upsample = mixing('bottleneck_upsample', [code_len, patches]);
    const decoderPosemb = posembNamed('pos_embedding_decoder');
    return { encoderPosemb, decoderPosemb, downsample, upsample, dictionary, counts };
  };

  const context = (scope: Scope, ctx: tf.Tensor | undefined) => {
    if (!ctx)
      throw scope.shapeError('there is no image in the batch', 'give it "ctx", or turn the context off.');
    return embedPatches(scope, ctx, { features: width, patch: patch_size });
  };

  const encode = (scope: Scope, root: Root, x: Readonly<Record<string, tf.Tensor>>, call: CodeCall) => {
    const stem = Object.fromEntries(
      Object.entries(options.inputs).map(([name, { length: inputAxes }]) => {
        const labels = x[name];
        if (!labels)
          throw scope.shapeError(`the labels have no "${name}"`, 'make "inputs" and the task agree.');
        return [
          name,
          denseGeneral(scope.child(`embedding_${name}`), labels, { inputAxes, features: [width] }),
        ];
      }),
    );
    let tokens = Object.values(stem).reduce((sum, y) => tf.add(sum, y));
    if (options.with_encoder_ctx) {
      tokens = tf.add(tokens, context(scope.child('ctx_enc_embedding'), call.ctx));
    }
    const { enc_depth: depth } = options;
    const input = tf.add(tokens, root.encoderPosemb);
    const encoded = encoder(scope.child('encoder'), input, { depth, ...blocks }, call.train).x;
    const regrouped = regroupTokens(encoded, { mixing: root.downsample, from: grid, to: codeGrid });
    const unscaled = { eps: 1e-5, useScale: false, useBias: false };
    const bottleneck = layerNorm(scope, dense(scope.child('encoder_head'), regrouped, wordDim), unscaled);
    const { rounded, code } = quantize(bottleneck, wordsOf(root));
    const statistics = call.train
      ? learnWords(scope, root, { bottleneck, code }, call.update_dict ?? true)
      : {};
    const result = options.quantize ? rounded : bottleneck;
    return { x: result, out: { stem, bottleneck, bottleneck_q: result, code, ...statistics } };
  };

  /**
   * The dictionary as running means (arXiv:1711.00937, appendix A.1). Words that hardly anything is rounded to any more
   * are replaced.
   */
  const learnWords = (
    scope: Scope,
    { dictionary, counts }: Root,
    { bottleneck, code }: { readonly bottleneck: tf.Tensor; readonly code: tf.Tensor },
    update: boolean,
  ): Out => {
    const words = tf.reshape(code, [-1]) as tf.Tensor1D;
    const sums = tf.unsortedSegmentSum(
      tf.reshape(tf.stopGradient(bottleneck), [-1, wordDim]),
      words,
      dict_size,
    );
    const found = tf.unsortedSegmentSum(tf.onesLike(words), words, dict_size);
    if (update) {
      const momentum = options.dict_momentum;
      const state = splitRareWords(
        {
          key: scope.rng('vqvae'),
          dictionary: tf.add(tf.mul(dictionary.value, momentum), sums),
          counts: tf.add(tf.mul(counts.value, momentum), tf.cast(found, 'float32')),
        },
        options.min_count,
      );
      dictionary.set(state.dictionary);
      counts.set(state.counts);
    }
    const unused = tf.cast(tf.equal(found, tf.scalar(0, 'int32')), 'float32');
    return {
      codebook_max_ratio: tf.div(tf.cast(tf.max(found), 'float32'), tf.cast(tf.sum(found), 'float32')),
      codebook_zeros_ratio: tf.mean(unused),
    };
  };

  const decode = (scope: Scope, root: Root, x: tf.Tensor, call: CodeCall) => {
    let words = x.dtype === 'int32' ? tf.gather(wordsOf(root), x) : x;
    if (options.zero_decoder_seq) words = tf.zerosLike(words);
    if (call.train) words = codeDropout(scope, words, options.code_dropout);
    const stem = dense(scope.child('decoder_stem'), words, width);
    let tokens = regroupTokens(stem, { mixing: root.upsample, from: codeGrid, to: grid });
    if (options.with_decoder_ctx) {
      tokens = tf.add(tokens, context(scope.child('ctx_dec_embedding'), call.ctx));
    }
    const { dec_depth: depth } = options;
    const decoded = encoder(scope.child('decoder'), tf.add(tokens, root.decoderPosemb), {
      depth,
      ...blocks,
    }).x;
    const kernelInit = options.head_zeroinit ? zeros : undefined;
    return Object.fromEntries(
      Object.entries(options.outputs).map(([name, features]) => [
        name,
        denseGeneral(scope.child(`head_${name}`), decoded, { features, kernelInit }),
      ]),
    );
  };

  return {
    load: async (init, from, { dont_load }) =>
      mergeParams(renamed(await loadParams(from as string)), init, dont_load),
    encode: (scope, x, call) => encode(scope, rootOf(scope), x, call),
    decode: (scope, x, call) => decode(scope, rootOf(scope), x, call),
    apply(scope, batch, { train, update_dict = true }: CallOptions & CodeCall) {
      const call = { ctx: batch.ctx, train, update_dict };
      const labels = Object.fromEntries(
        Object.entries(batch).flatMap(([name, x]) => (name.startsWith('x/') ? [[name.slice(2), x]] : [])),
      );
      const root = rootOf(scope);
      const { x, out } = encode(scope, root, labels, call);
      const logits = decode(scope, root, x, call);
      return { output: logits, out: { ...out, logits } };
    },
  };
}

/** Checkpoints from before Flax had its current module system have other names. */
function renamed(loaded: ParamArrays): ParamArrays {
  const { Encoder, Decoder, ...rest } = convertPreLinen(loaded);
  return { ...rest, ...(Encoder && { encoder: Encoder }), ...(Decoder && { decoder: Decoder }) };
}

/** The words, of length 1. */
function wordsOf({ dictionary, counts }: Root): tf.Tensor {
  const means = tf.div(dictionary.value, tf.expandDims(counts.value, 1));
  return tf.div(means, tf.sqrt(tf.sum(tf.square(means), -1, true)));
}

/**
 * The nearest words. Their gradient goes on to what they stand for, as if nothing had been rounded.
 * @param x float [batch, length, dim]
 * @param words float [words, dim]
 */
function quantize(x: tf.Tensor, words: tf.Tensor): { readonly rounded: tf.Tensor; readonly code: tf.Tensor } {
  const [batch, length, dim] = x.shape as [number, number, number];
  const rows = tf.stopGradient(tf.reshape(x, [batch * length, dim]));
  const distance = tf.add(
    tf.sub(tf.sum(tf.square(rows), 1, true), tf.mul(2, tf.matMul(rows, words, false, true))),
    tf.sum(tf.square(words), 1),
  );
  const code = tf.reshape(tf.cast(tf.argMin(distance, 1), 'int32'), [batch, length]);
  return { rounded: tf.add(tf.stopGradient(tf.sub(tf.gather(words, code), x)), x), code };
}
