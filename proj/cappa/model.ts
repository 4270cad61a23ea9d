// An encoder of images and a decoder that captions them: word by word (Cap), or all words at once (CapPa).

import { z } from 'zod';
import type { HostArray } from '../../core/array';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type {
  CallOptions,
  LoadOptions,
  Model,
  ModelInit,
  ModelResult,
  ParamArrays,
} from '../../core/extensions';
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
import { convertPreLinen, dense, embed, layerNorm } from '../../plugins/layers';
import {
  applyVit,
  arrangeBlocks,
  encoderFile,
  loadVit,
  posemb,
  resamplePosemb,
  resolveOptions,
  scanRemat,
  transformerOptions,
} from '../../plugins/vit';

const errors = catalogue('cappa', {
  decoderScan: (v: { stacked: boolean }) => ({
    what: `The decoder's blocks in the checkpoint are ${v.stacked ? 'stacked' : 'separate'}, and the model's are not.`,
    fix: `set model.scan to ${v.stacked}, or model_load.dont_load to ["decoder/.*"] to take the encoder alone.`,
  }),
});

const count = z.int().min(1);
const asEncoder = z.int().min(0).default(0);
const rate = z.number().min(0).max(1).default(0);

export const cappaOptions = z.strictObject({
  num_heads: count.default(8).describe('attention heads of the encoder'),
  num_layers: z.int().min(0).default(6).describe('blocks of the encoder'),
  mlp_dim: count.default(2048).describe('hidden width of its MLPs'),
  emb_dim: count.default(512).describe('width of the encoder'),
  enc_dropout_rate: rate.describe('dropout in the encoder'),
  vocab_size: count.default(32_000).describe('number of words; 0 pads'),
  seq_len: count.default(256).describe('length of a caption'),
  patches: z.tuple([count, count]).default([16, 16]).describe('height and width of a patch'),
  posemb_type: z.enum(['learn', 'sincos2d']).default('learn').describe('of patches and of words'),
  decoder_num_heads: asEncoder.describe("attention heads of the decoder; 0: the encoder's"),
  decoder_num_layers: asEncoder.describe("blocks of the decoder; 0: the encoder's"),
  decoder_mlp_dim: asEncoder.describe("hidden width of the decoder's MLPs; 0: the encoder's"),
  decoder_emb_dim: asEncoder.describe("width of the decoder; 0: the encoder's"),
  dec_dropout_rate: rate.describe('dropout in the decoder'),
  masked_pred_prob: rate.describe('how many captions are predicted in parallel in training; 0: none (Cap)'),
  masking_ratio: rate.describe('how many words of those are masked'),
  decoder_bias: z.boolean().default(true).describe("biases in the decoder's MLPs and layer norms"),
  input_seq_len: count.default(768).describe('not used; kept for configs of the original'),
  patch_dropout: rate.describe('not used; kept for configs of the original'),
  scan: transformerOptions.scan,
  remat_policy: transformerOptions.remat_policy,
});
export type CappaOptions = z.output<typeof cappaOptions>;

export interface Cappa extends Model {
  /** @returns out.encoded: float [batch, patches, emb_dim], and what else a ViT gives */
  encode(scope: Scope, image: tf.Tensor, train?: boolean): ModelResult;
  /**
   * The logits of each word, from those before it; in training of some captions from none.
   * @param encoded float [batch, patches, emb_dim]
   * @param text int32 [batch, length]
   * @returns float [batch, length, vocab_size]
   */
  decode(scope: Scope, encoded: tf.Tensor, text: tf.Tensor, train?: boolean): tf.Tensor;
  /** The same, a word at a time. */
  stepwise(scope: Scope, encoded: tf.Tensor, length: number): StepwiseDecoder<DecoderCache>;
}

/** The model of these options. A batch has `image` and `labels`, the captions. */
export function cappa(options: CappaOptions): Cappa {
  const { emb_dim, vocab_size, seq_len, posemb_type, masked_pred_prob, masking_ratio, scan } = options;
  const width = options.decoder_emb_dim || emb_dim;
  const depth = options.decoder_num_layers || options.num_layers;
  const block = {
    num_heads: options.decoder_num_heads || options.num_heads,
    mlp_dim: options.decoder_mlp_dim || options.mlp_dim,
    dropout: options.dec_dropout_rate,
    use_bias: options.decoder_bias,
  };
  const vitConfig = resolveOptions({
    num_classes: null,
    patch_size: options.patches,
    width: emb_dim,
    depth: options.num_layers,
    mlp_dim: options.mlp_dim,
    num_heads: options.num_heads,
    dropout: options.enc_dropout_rate,
    posemb: posemb_type,
    scan,
    remat_policy: options.remat_policy,
    dtype_mm: 'float32',
    rep_size: false,
    pool_type: 'gap',
    head_zeroinit: true,
  });

  const positionsOf = (root: Scope) =>
    posemb(root, { type: posemb_type, grid: [1, seq_len], width, name: 'pos_embedding_decoder' });

  const embedWords = (scope: Scope, words: tf.Tensor) =>
    embed(scope.child('EmbedTargets'), words, {
      // One more: the mask.
      size: vocab_size + (masked_pred_prob > 0 ? 1 : 0),
      features: width,
      init: normal(1),
    });

  const logitsOf = (scope: Scope, y: tf.Tensor) =>
    dense(scope.child('LogitsDense'), layerNorm(scope.child('LayerNorm'), y), vocab_size, {
      kernelInit: zeros,
    });

  const encode = (scope: Scope, image: tf.Tensor, train = false) =>
    applyVit(vitConfig, scope.child('encoder'), { image }, { train });

  const decode = (root: Scope, encoded: tf.Tensor, text: tf.Tensor, train = false) => {
    const positions = positionsOf(root);
    const scope = root.child('decoder');
    const length = text.shape[1] as number;
    const causal = { words: shiftRight(text), mask: tf.reshape(causalMask(length), [1, 1, length, length]) };
    const { words, mask } =
      train && masked_pred_prob > 0
        ? withParallel(scope, text, causal, { masked_pred_prob, masking_ratio, vocab_size })
        : causal;
    const embedded = tf.add(embedWords(scope, words), tf.slice(positions, [0, 0, 0], [1, length, width]));
    const run = (layer: Scope, y: tf.Tensor) => decoderBlock(layer, y, encoded, { ...block, mask }, train);
    if (!scan) {
      let y = embedded;
      for (let i = 0; i < depth; i++) y = run(scope.child(`EncDecBlock${i}`), y);
      return logitsOf(scope, y);
    }
    const remat = scanRemat(options.remat_policy);
    const body = (layer: Scope, y: tf.Tensor) => [run(layer, y), {}] as const;
    const [y] = scope.scan('EncDecBlock', depth, body, embedded, { axis: 1, remat });
    return logitsOf(scope, y);
  };

  const stepwise = (root: Scope, encoded: tf.Tensor, length: number): StepwiseDecoder<DecoderCache> => {
    const scope = root.child('decoder');
    const scopes = scan
      ? scope.stacked('EncDecBlock', depth, 1)
      : Array.from({ length: depth }, (_, i) => scope.child(`EncDecBlock${i}`));
    return stepwiseDecoder(scopes, encoded, {
      ...block,
      width,
      length,
      embedWords: (words) => embedWords(scope, words),
      positions: positionsOf(root),
      logitsOf: (y) => logitsOf(scope, y),
    });
  };

  return {
    encode,
    decode,
    stepwise,
    load: (init, from, load) => loadCappa(init, from, { ...load, scan }),
    loadOptions: z.strictObject({
      dont_load: z.array(z.string()).default(['head/kernel', 'head/bias', 'cls']),
    }),
    apply(scope, { image, labels, text = labels }, { train }: CallOptions) {
      if (!image || !text) {
        throw scope.shapeError(
          `the batch has no "${image ? 'labels' : 'image'}"`,
          'let pp end with keep("image", "labels"), the labels being the words of a caption.',
        );
      }
      const { out } = encode(scope, image, train);
      const { encoded } = out as { encoded: tf.Tensor };
      return { output: decode(scope, encoded, text, train), out };
    },
  };
}

interface DecoderInput {
  /** int32 [batch, length] */
  readonly words: tf.Tensor;
  /** bool [1 or batch, 1, length, length] */
  readonly mask: tf.Tensor;
}

/**
 * Parallel prediction: of some captions, drawn anew in each step, the decoder gets masks in the place of words, and every
 * place sees every other.
 */
function withParallel(
  scope: Scope,
  text: tf.Tensor,
  causal: DecoderInput,
  options: Pick<CappaOptions, 'masked_pred_prob' | 'masking_ratio' | 'vocab_size'>,
): DecoderInput {
  const { masked_pred_prob, masking_ratio, vocab_size } = options;
  const [batch, length] = text.shape as [number, number];
  const parallel = tf.less(tf.random.uniform(scope.rng('dropout'), [batch]), masked_pred_prob);
  const some = tf.less(tf.range(0, length, 1, 'int32'), Math.trunc(masking_ratio * length));
  const places = tf.broadcastTo(tf.cast(some, 'int32'), [batch, length]);
  const masked = tf.cast(tf.random.shuffle(scope.rng('dropout'), places), 'bool');
  const words = tf.where(masked, tf.scalar(vocab_size, 'int32'), tf.cast(text, 'int32'));
  return {
    words: tf.where(tf.expandDims(parallel, 1), words, causal.words),
    mask: tf.logicalOr(tf.reshape(parallel, [batch, 1, 1, 1]), causal.mask),
  };
}

/** From a checkpoint of this model, or with `{encoder: FILE}` from one of a ViT for the part that sees the image. */
async function loadCappa(
  init: ParamArrays,
  from: ModelInit,
  { dont_load, scan }: LoadOptions & { readonly scan: boolean },
): Promise<ParamArrays> {
  const initial = init.encoder as ParamArrays;
  if (typeof from !== 'string') {
    return { ...init, encoder: await loadVit(initial, encoderFile(from), { dont_load, scan }) };
  }
  const loaded = convertPreLinen(await loadParams(from));
  const stacked = 'EncDecBlock' in (loaded.decoder as object);
  const withoutDecoder = dont_load?.some((pattern) => /^decoder\/?\.\*$/.test(pattern));
  if (stacked !== scan && !withoutDecoder) throw errors.decoderScan({ stacked });
  const arranged = { ...loaded, encoder: arrangeBlocks(loaded.encoder as ParamArrays, scan) };
  const merged = mergeParams(arranged, init, dont_load);
  const encoder = merged.encoder as ParamArrays;
  const positions = encoder.pos_embedding as HostArray | undefined;
  if (!positions) return merged;
  const pos_embedding = resamplePosemb(positions, (initial.pos_embedding as HostArray).shape);
  return { ...merged, encoder: { ...encoder, pos_embedding } };
}
