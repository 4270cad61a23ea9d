// Stage I: a VQ-VAE of ViTs that puts the labels of an image into a short sequence of code words (README.md).

import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import type { Batch, CallOptions, Model, ParamArrays } from '../../core/extensions';
import { xavierUniform, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import {
  codeDropout,
  convertPreLinen,
  dense,
  denseGeneral,
  embedPatches,
  layerNorm,
  patchGrid,
  regroupTokens,
} from '../../plugins/layers';
import { encoder, posemb } from '../../plugins/vit';
import { type Codebook, codebookOf, learnWords, quantize, wordsOf } from './codebook';
import type { UvimVitOptions } from './options';

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
  readonly codebook: Codebook;
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
    const codebook = codebookOf(scope, { words: dict_size, dim: wordDim });
    const upsample = mixing('bottleneck_upsample', [code_len, patches]);
    const decoderPosemb = posembNamed('pos_embedding_decoder');
    return { encoderPosemb, decoderPosemb, downsample, upsample, codebook };
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
    const { rounded, code } = quantize(bottleneck, wordsOf(root.codebook));
    const { train, update_dict: update = true } = call;
    const statistics = train
      ? learnWords(scope, root.codebook, { bottleneck, code }, { ...options, update })
      : {};
    const result = options.quantize ? rounded : bottleneck;
    return { x: result, out: { stem, bottleneck, bottleneck_q: result, code, ...statistics } };
  };

  const decode = (scope: Scope, root: Root, x: tf.Tensor, call: CodeCall) => {
    let words = x.dtype === 'int32' ? tf.gather(wordsOf(root.codebook), x) : x;
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
      const root = rootOf(scope);
      const { x, out } = encode(scope, root, labelsIn(batch), call);
      const logits = decode(scope, root, x, call);
      return { output: logits, out: { ...out, logits } };
    },
  };
}

/** Labels by the names of `inputs`, which a batch has behind `x/`. */
export const labelsIn = (batch: Batch): Batch =>
  Object.fromEntries(
    Object.entries(batch).flatMap(([name, x]) => (name.startsWith('x/') ? [[name.slice(2), x]] : [])),
  );

/** Checkpoints from before Flax had its current module system have other names. */
function renamed(loaded: ParamArrays): ParamArrays {
  const { Encoder, Decoder, ...rest } = convertPreLinen(loaded);
  return { ...rest, ...(Encoder && { encoder: Encoder }), ...(Decoder && { decoder: Decoder }) };
}
