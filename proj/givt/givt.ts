// The transformer of real-valued tokens: it sees those before (or those that aren't hidden), a label and perhaps an image,
// and gives a distribution for each token (README.md).

import { z } from 'zod';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { CallOptions, LoadOptions, Model, ModelInit, ParamArrays } from '../../core/extensions';
import { normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { mapTree, type NestedRecord, type Tree } from '../../core/tree';
import { causalMask } from '../../plugins/decoder';
import {
  attendTo,
  conv2d,
  dense,
  dropout,
  embed,
  keysAndValues,
  layerNorm,
  mlpBlock,
  multiHeadAttention,
  queries,
} from '../../plugins/layers';
import { density, numLogits } from '../../plugins/mixture';
import { encoder, loadVitEncoder, posemb } from '../../plugins/vit';
import type { MaskSchedule } from './masking';

const count = z.int().min(1);
const rate = z.number().min(0).max(1).default(0);
const schedule = z.custom<MaskSchedule>(
  (text) => typeof text === 'string' && /^(cosine|pow:\d+(\.\d+)?)$/.test(text),
  'expected "cosine" or "pow:EXPONENT"',
);

export const givtOptions = z
  .strictObject({
    num_heads: count.default(8),
    num_layers: z.int().min(0).default(0).describe('blocks of the encoder of images; 0: there is none'),
    num_decoder_layers: z.int().min(0).default(6).describe('blocks of the decoder; 0: as the encoder'),
    mlp_dim: count.default(2048).describe('hidden width of the MLPs'),
    enc_dropout_rate: rate,
    dec_dropout_rate: rate,
    emb_dim: count.default(512).describe('width'),
    num_labels: count.nullable().default(1000).describe('number of classes; null or 1: there are none'),
    seq_len: count.default(256).describe('number of tokens'),
    patches: z.tuple([count, count]).default([16, 16]).describe('height and width of a patch of the image'),
    input_size: z.tuple([count, count]).default([256, 256]).describe('height and width of the image'),
    posemb_type: z.enum(['learn']).default('learn'),
    zero_decoder_seq: z.boolean().default(false).describe('without effect, as in the original'),
    style: z
      .enum(['ar', 'masked'])
      .default('ar')
      .describe('tokens one by one, each from those before, or all from those that are not hidden'),
    zero_embedding_init: z.boolean().default(false).describe('embeddings of labels start at zero'),
    num_mixtures: count.default(4).describe('components of the distribution of a token'),
    multivariate: z.boolean().default(false).describe('one component with a full covariance'),
    out_dim: count.default(32).describe('numbers in a token'),
    scale_tol: z.number().positive().default(1e-6).describe('smallest standard deviation'),
    mask_schedule_train: schedule.default('cosine').describe('cosine or pow:EXPONENT'),
    min_masking_rate_training: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('the schedule is followed up to 1 minus this in training'),
    mask_style: z
      .enum(['replace', 'concat'])
      .default('replace')
      .describe('hidden tokens are replaced, or half of the width says which are hidden'),
    drop_labels_probability: rate.describe('of training without the label, for guidance'),
    fix_square_plus: z.boolean().default(false).describe('standard deviations by square plus as published'),
    per_channel_mixtures: z
      .boolean()
      .default(true)
      .describe('a mixture for each channel, or one of whole tokens'),
    scan: z.boolean().default(false).describe('stack the parameters of equal blocks'),
    remat_policy: z
      .enum(tf.rematPolicies)
      .default('nothing_saveable')
      .describe('with scan: what the backward pass keeps of a block'),
  })
  .refine(({ multivariate, num_mixtures }) => !multivariate || num_mixtures === 1, {
    path: ['num_mixtures'],
    message: 'multivariate takes num_mixtures: 1',
  });
export type GivtOptions = z.output<typeof givtOptions>;

/** What tokens are conditional on. */
export interface Conditions {
  /** int32 [batch] */
  readonly labels?: tf.Tensor;
  /** Whose label isn't shown: bool [batch]. */
  readonly dropLabels?: tf.Tensor;
  /** What `encode` gives. */
  readonly encoded?: tf.Tensor;
}

/** What decoding keeps of the tokens so far: float [layers, batch, heads, length, size] each. */
export type GivtCache = { readonly key: tf.Tensor; readonly value: tf.Tensor };

/** The distribution of a token, as float [batch, logits], and what to go on with. */
export interface GivtStep {
  readonly logits: tf.Tensor;
  readonly cache: GivtCache;
}

export interface Givt extends Model {
  readonly options: GivtOptions;
  /** @returns float [batch, patches, emb_dim] */
  encode(scope: Scope, image: tf.Tensor, train?: boolean): tf.Tensor;
  /**
   * The distribution of each token.
   * @param sequence float [batch, seq_len, out_dim]
   * @param inputMask bool [batch, seq_len]: of a masked model, which tokens it doesn't see
   * @returns logits: float [batch, seq_len, numLogits]; out: means over the tokens after each block
   */
  decode(
    scope: Scope,
    sequence: tf.Tensor,
    conditions: Conditions & { readonly inputMask?: tf.Tensor; readonly train?: boolean },
  ): { readonly logits: tf.Tensor; readonly out: NestedRecord<tf.Tensor> };
  /** The same for an autoregressive model, a token at a time. */
  stepwise(
    scope: Scope,
    conditions: Conditions & { readonly batch: number },
  ): {
    /** The first token. */
    readonly first: GivtStep;
    /** The token after `token`, float [batch, out_dim], whose place is `index` (int32 scalar). */
    next(token: tf.Tensor, index: tf.Tensor, cache: GivtCache): GivtStep;
  };
}

const errors = catalogue('givt', {
  noMask: () => ({
    what: 'A masked model (style: "masked") needs the mask of its tokens.',
    fix: 'give the batch input_mask: bool [batch, seq_len], true where a token is hidden.',
  }),
  noLabels: (v: { num_labels: number | null }) => ({
    what: `The model has ${v.num_labels} labels, and the batch none.`,
    fix: 'let pp keep "labels" as int32 [batch], or set num_labels to 1.',
  }),
  noLabelFree: () => ({
    what: 'The model has no embedding for "no label".',
    fix: 'train it with drop_labels_probability above 0.',
  }),
  image: (v: { has: boolean }) => ({
    what: v.has
      ? 'The model has an encoder of images, and the batch no image.'
      : 'The batch has an image, and the model no encoder.',
    fix: 'make num_layers agree with what the batch has.',
  }),
});

/** Rows of the table of labels after those of classes. */
type Special = 'mask' | 'nomask' | 'replace' | 'nolabel';

function specialLabels(options: GivtOptions): ReadonlyMap<Special, number> {
  const { style, mask_style, num_labels, drop_labels_probability } = options;
  const ofMask: Special[] = mask_style === 'replace' ? ['mask'] : ['mask', 'nomask', 'replace'];
  const names: Special[] = [
    ...(style === 'masked' ? ofMask : []),
    ...(drop_labels_probability > 0 ? (['nolabel'] as const) : []),
  ];
  return new Map(names.map((name, i) => [name, (num_labels ?? 0) + i]));
}

/**
 * The model of these options. A batch has `sequence`, `labels` where there are classes, `image` where there is an encoder, and
 * `input_mask` in the style "masked".
 */
export function givt(options: GivtOptions): Givt {
  const { num_heads: heads, mlp_dim: mlpDim, emb_dim: width, input_size, patches, scan, style } = options;
  const { remat_policy, seq_len, dec_dropout_rate: rate, num_layers } = options;
  const layers = options.num_decoder_layers || num_layers;
  const length = seq_len + Number(style === 'masked');
  const special = specialLabels(options);
  const attention = { heads, useBias: false, qkvFeatures: width, outFeatures: width };
  const remat = remat_policy === 'none' ? 'nothing_saveable' : remat_policy;

  const positions = (scope: Scope) =>
    posemb(scope, { type: 'learn', grid: [1, length], width, name: 'pos_emb' });

  const encode = (scope: Scope, image: tf.Tensor, train = false) => {
    const grid = [Math.floor(input_size[0] / patches[0]), Math.floor(input_size[1] / patches[1])] as const;
    const added = posemb(scope, { type: 'learn', grid, width, name: 'pos_embedding_encoder' });
    const conv = { features: width, kernel: patches, strides: patches, padding: 'VALID' } as const;
    const cut = conv2d(scope.child('EmbedPatches'), tf.cast(image, 'float32'), conv);
    const tokens = tf.add(tf.reshape(cut, [-1, grid[0] * grid[1], width]), added);
    const block = { depth: num_layers, num_heads: heads, mlp_dim: mlpDim, scan, remat_policy };
    return encoder(scope.child('encoder'), tokens, { ...block, dropout: options.enc_dropout_rate }, train).x;
  };

  const embedLabels = (scope: Scope, ids: tf.Tensor) =>
    embed(scope.child('EmbedLabels'), tf.cast(ids, 'int32'), {
      size: (options.num_labels ?? 1) + special.size,
      features: width,
      init: options.zero_embedding_init ? zeros : normal(1),
    });
  const embedSpecial = (scope: Scope, name: Special) =>
    embedLabels(scope, tf.scalar(special.get(name) as number, 'int32'));
  const embedTokens = (scope: Scope, tokens: tf.Tensor) => dense(scope.child('EmbedTargets'), tokens, width);

  /** What comes before the tokens: float [batch, 1, width]. */
  const start = (scope: Scope, batch: number, { labels, dropLabels }: Conditions) => {
    if (!labels && (options.num_labels ?? 1) !== 1) throw errors.noLabels({ num_labels: options.num_labels });
    const always = options.drop_labels_probability >= 0.999;
    if (!labels) return tf.expandDims(embedLabels(scope, tf.fill([batch], 0, 'int32')), 1);
    if (!always && !dropLabels) return tf.expandDims(embedLabels(scope, labels), 1);
    const none = special.get('nolabel');
    if (none === undefined) throw errors.noLabelFree();
    const dropped = tf.fill([batch], none, 'int32');
    const ids = always || !dropLabels ? dropped : tf.where(dropLabels, dropped, tf.cast(labels, 'int32'));
    return tf.expandDims(embedLabels(scope, ids), 1);
  };

  /** Runs the blocks on y; each gets its slice of `xs`, and what they give beside y comes stacked. */
  const throughBlocks = <Out extends Tree<tf.Tensor>, X extends Tree<tf.Tensor> = undefined>(
    scope: Scope,
    y: tf.Tensor,
    body: (block: Scope, y: tf.Tensor, x: X) => readonly [tf.Tensor, Out],
    xs?: X,
  ): [tf.Tensor, Out] => {
    if (scan) return scope.scan('EncDecBlock', layers, body, y, { axis: 1, remat, xs });
    let last = y;
    const outs = Array.from({ length: layers }, (_, i) => {
      const slice = mapTree<tf.Tensor, tf.Tensor>(xs, (x) => tf.unstack(x)[i] as tf.Tensor) as X;
      const [next, out] = body(scope.child(`EncDecBlock${i}`), last, slice);
      last = next;
      return out;
    });
    return [last, stackTrees(outs)];
  };

  const mlp = (block: Scope, y: tf.Tensor, train: boolean) =>
    mlpBlock(block.child('MLP'), layerNorm(block.child('LayerNorm3'), y, { useBias: false }), {
      mlpDim,
      dropout: rate,
      train,
    });
  const normed = (block: Scope, name: string, y: tf.Tensor) =>
    layerNorm(block.child(name), y, { useBias: false });

  /** @param y float [batch, length, width] */
  const decoder = (
    scope: Scope,
    y: tf.Tensor,
    { encoded, mask, train }: { encoded?: tf.Tensor; mask?: tf.Tensor; train: boolean },
  ) => {
    const drop = { rate, train };
    const body = (block: Scope, before: tf.Tensor) => {
      const q = normed(block, 'LayerNorm1', before);
      const self = multiHeadAttention(block.child('SelfAttn'), { q }, { ...attention, mask, dropout: drop });
      let y = tf.add(dropout(block.child('Dropout_0'), self, drop), before);
      if (encoded) {
        const inputs = { q: normed(block, 'LayerNorm2', y), kv: encoded };
        const cross = multiHeadAttention(block.child('CrossAttn'), inputs, { ...attention, dropout: drop });
        y = tf.add(dropout(block.child('Dropout_1'), cross, drop), y);
      }
      y = tf.add(y, mlp(block, y, train));
      return [y, tf.mean(y, 1)] as const;
    };
    const shown = tf.slice(positions(scope), [0, 0, 0], [1, y.shape[1] as number, width]);
    const [last, reps] = throughBlocks(scope, tf.add(y, shown), body);
    const { logits, before } = head(scope, last);
    const ofBlocks = tf.unstack(reps).map((rep, i) => [`block${i}_rep`, rep] as const);
    return { logits, out: { ...Object.fromEntries(ofBlocks), pre_logits: tf.mean(before, 1), logits } };
  };

  const head = (scope: Scope, y: tf.Tensor) => {
    const before = layerNorm(scope.child('LayerNorm'), y);
    return {
      before,
      logits: dense(scope.child('LogitsDense'), before, numLogits(options), { kernelInit: zeros }),
    };
  };

  /** Tokens with those that are hidden taken out: float [batch, seq_len, width]. */
  const embedMasked = (scope: Scope, sequence: tf.Tensor, inputMask: tf.Tensor) => {
    const hidden = tf.expandDims(inputMask, 2);
    const seen = embedTokens(scope, sequence);
    if (options.mask_style === 'replace') return tf.where(hidden, embedSpecial(scope, 'mask'), seen);
    const marks = tf.where(hidden, embedSpecial(scope, 'mask'), embedSpecial(scope, 'nomask'));
    const values = tf.where(hidden, embedSpecial(scope, 'replace'), seen);
    return tf.concat([everyOther(marks), everyOther(values)], 2);
  };

  const decode: Givt['decode'] = (root, sequence, { inputMask, train = false, ...conditions }) => {
    const scope = root.child('decoder');
    const batch = sequence.shape[0] as number;
    const { encoded } = conditions;
    if (style === 'ar') {
      const tokens = embedTokens(root, sequence);
      const shifted = tf.slice(tokens, [0, 0, 0], [-1, (sequence.shape[1] as number) - 1, -1]);
      const y = tf.concat([start(root, batch, conditions), shifted], 1);
      return decoder(scope, y, { encoded, mask: causalMask(sequence.shape[1] as number), train });
    }
    if (!inputMask) throw errors.noMask();
    const first = start(root, batch, conditions);
    const y = tf.concat([first, embedMasked(root, sequence, inputMask)], 1);
    const { logits, out } = decoder(scope, y, { encoded, train });
    return { logits: tf.slice(logits, [0, 1, 0], [-1, -1, -1]), out };
  };

  const stepwise: Givt['stepwise'] = (root, { batch, ...conditions }) => {
    const scope = root.child('decoder');
    const { encoded } = conditions;
    const size = width / heads;
    const blank = tf.fill([layers, batch, heads, seq_len, size], 0);
    const [, ofImage] = encoded
      ? throughBlocks(scope, blank, (block, y): readonly [tf.Tensor, GivtCache] => [
          y,
          { ...keysAndValues(block.child('CrossAttn'), encoded, attention) },
        ])
      : [];
    const place = tf.reshape(tf.range(0, seq_len, 1, 'int32'), [seq_len, 1]);

    const step = (y: tf.Tensor, at: tf.Tensor, cache: GivtCache): GivtStep => {
      const here = tf.equal(place, at);
      const mask = tf.reshape(tf.lessEqual(place, at), [1, seq_len]);
      type Slice = { readonly cache: GivtCache; readonly ofImage?: GivtCache };
      const body = (block: Scope, before: tf.Tensor, slice: Slice): readonly [tf.Tensor, GivtCache] => {
        const [self, cross] = [block.child('SelfAttn'), block.child('CrossAttn')];
        const q = normed(block, 'LayerNorm1', before);
        const own = keysAndValues(self, q, attention);
        const known = {
          key: tf.where(here, own.key, slice.cache.key),
          value: tf.where(here, own.value, slice.cache.value),
        };
        let y = tf.add(attendTo(self, queries(self, q, attention), known, { ...attention, mask }), before);
        if (slice.ofImage) {
          const seen = queries(cross, normed(block, 'LayerNorm2', y), attention);
          y = tf.add(attendTo(cross, seen, slice.ofImage, attention), y);
        }
        y = tf.add(y, mlp(block, y, false));
        return [y, known] as const;
      };
      const shown = tf.gather(positions(scope), tf.reshape(at, [1]) as tf.Tensor1D, 1);
      const [last, next] = throughBlocks<GivtCache, Slice>(scope, tf.add(y, shown), body, { cache, ofImage });
      return { logits: tf.squeeze(head(scope, last).logits, [1]), cache: next };
    };

    return {
      first: step(start(root, batch, conditions), tf.scalar(0, 'int32'), { key: blank, value: blank }),
      next: (token, index, cache) => {
        const after = tf.minimum(tf.add(index, tf.scalar(1, 'int32')), tf.scalar(seq_len - 1, 'int32'));
        return step(embedTokens(root, tf.expandDims(token, 1)), after, cache);
      },
    };
  };

  return {
    options,
    encode,
    decode,
    stepwise,
    load: loadGivt,
    loadOptions: z.strictObject({
      dont_load: z.array(z.string()).default([]),
    }),
    apply(scope, { sequence, labels, image, input_mask }, { train }: CallOptions) {
      if (!sequence)
        throw scope.shapeError(
          'the batch has no "sequence"',
          'give it tokens as float [batch, length, out_dim].',
        );
      if (num_layers > 0 !== (image !== undefined)) throw errors.image({ has: num_layers > 0 });
      const encoded = image && encode(scope, image, train);
      const inputMask = input_mask && tf.greater(tf.cast(input_mask, 'int32'), tf.scalar(0, 'int32'));
      const { logits, out } = decode(scope, sequence, { labels, encoded, inputMask, train });
      return { output: logits, out: { ...out, log_prob: density(logits, options).logProb(sequence) } };
    },
  };
}

/** From a checkpoint of this model, or with `{encoder: FILE}` from one of a ViT for the part that sees the image. */
async function loadGivt(init: ParamArrays, from: ModelInit, load: LoadOptions): Promise<ParamArrays> {
  return typeof from === 'string'
    ? mergeParams(await loadParams(from), init, load.dont_load)
    : loadVitEncoder(init, from, load);
}

/** The even channels of [batch, length, width]. */
function everyOther(x: tf.Tensor): tf.Tensor {
  const [batch, length, width] = x.shape as [number, number, number];
  return tf.squeeze(
    tf.slice(tf.reshape(x, [batch, length, width / 2, 2]), [0, 0, 0, 0], [-1, -1, -1, 1]),
    [3],
  );
}

/** Trees of one structure as one of stacked leaves. */
function stackTrees<Out extends Tree<tf.Tensor>>(trees: readonly Out[]): Out {
  const columns = trees.map((tree) => {
    const leaves: tf.Tensor[] = [];
    mapTree<tf.Tensor, tf.Tensor>(tree, (leaf) => {
      leaves.push(leaf);
      return leaf;
    });
    return leaves;
  });
  let next = 0;
  return mapTree<tf.Tensor, tf.Tensor>(trees[0], () => {
    const i = next++;
    return tf.stack(columns.map((leaves) => leaves[i] as tf.Tensor));
  }) as Out;
}
