// The transformer of real-valued tokens: it sees those before (or those that aren't hidden), a label and perhaps an image,
// and gives a distribution for each token (README.md).

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { CallOptions, Model } from '../../core/extensions';
import { zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { causalMask, decoderBlock, decoderBlockStep, encodedKeysAndValues } from '../../plugins/decoder';
import {
  dense,
  embedPatches,
  type KeysAndValues,
  layerNorm,
  patchGrid,
  takeAt,
  throughBlocks,
} from '../../plugins/layers';
import { encoder, loadWithEncoder, posemb, scanRemat } from '../../plugins/vit';
import { type Labels, labelTable } from './labels';
import { density, numLogits } from '../../plugins/mixture';
import type { GivtOptions } from './options';

/** What tokens are conditional on. */
export interface Conditions extends Labels {
  /** What `encode` gives. */
  readonly encoded?: tf.Tensor;
}

/** What decoding keeps of the tokens so far: float [layers, batch, heads, length, size] each. */
export type GivtCache = KeysAndValues;

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
  image: (v: { has: boolean }) => ({
    what: v.has
      ? 'The model has an encoder of images, and the batch no image.'
      : 'The batch has an image, and the model no encoder.',
    fix: 'make num_layers agree with what the batch has.',
  }),
});

/**
 * The model of these options. A batch has `sequence`, `labels` where there are classes, `image` where there is an encoder, and
 * `input_mask` in the style "masked".
 */
export function givt(options: GivtOptions): Givt {
  const { num_heads, mlp_dim, emb_dim: width, input_size, patches, scan, style, seq_len } = options;
  const { remat_policy, num_layers } = options;
  const layers = options.num_decoder_layers || num_layers;
  const length = seq_len + Number(style === 'masked');
  const block = { num_heads, mlp_dim, dropout: options.dec_dropout_rate, use_bias: false, mlp_bias: true };
  const { start, hide } = labelTable(options);

  const positions = (scope: Scope) =>
    posemb(scope, { type: 'learn', grid: [1, length], width, name: 'pos_emb' });

  const encode = (scope: Scope, image: tf.Tensor, train = false) => {
    const grid = patchGrid(input_size, patches);
    const added = posemb(scope, { type: 'learn', grid, width, name: 'pos_embedding_encoder' });
    const cut = { features: width, patch: patches };
    const tokens = tf.add(embedPatches(scope.child('EmbedPatches'), tf.cast(image, 'float32'), cut), added);
    const blocks = { depth: num_layers, num_heads, mlp_dim, scan, remat_policy };
    return encoder(scope.child('encoder'), tokens, { ...blocks, dropout: options.enc_dropout_rate }, train).x;
  };

  const embedTokens = (scope: Scope, tokens: tf.Tensor) => dense(scope.child('EmbedTargets'), tokens, width);

  const blocksIn = (scope: Scope) => ({
    depth: layers,
    scan,
    name: 'EncDecBlock',
    block: (i: number) => scope.child(`EncDecBlock${i}`),
    axis: 1,
    remat: scanRemat(remat_policy),
  });

  const head = (scope: Scope, y: tf.Tensor) => {
    const before = layerNorm(scope.child('LayerNorm'), y);
    return {
      before,
      logits: dense(scope.child('LogitsDense'), before, numLogits(options), { kernelInit: zeros }),
    };
  };

  /** @param y float [batch, length, width] */
  const decoder = (
    scope: Scope,
    y: tf.Tensor,
    { encoded, mask, train }: { encoded?: tf.Tensor; mask?: tf.Tensor; train: boolean },
  ) => {
    const body = (layer: Scope, before: tf.Tensor) => {
      const after = decoderBlock(layer, before, encoded, { ...block, mask }, train);
      return [after, tf.mean(after, 1)] as const;
    };
    const shown = tf.slice(positions(scope), [0, 0, 0], [1, y.shape[1] as number, width]);
    const [last, reps] = throughBlocks(scope, tf.add(y, shown), body, blocksIn(scope));
    const { logits, before } = head(scope, last);
    const ofBlocks = tf.unstack(reps).map((rep, i) => [`block${i}_rep`, rep] as const);
    return { logits, out: { ...Object.fromEntries(ofBlocks), pre_logits: tf.mean(before, 1), logits } };
  };

  const decode: Givt['decode'] = (root, sequence, { inputMask, train = false, ...conditions }) => {
    const scope = root.child('decoder');
    const [batch, length] = sequence.shape as [number, number];
    const { encoded } = conditions;
    if (style === 'ar') {
      const before = tf.slice(embedTokens(root, sequence), [0, 0, 0], [-1, length - 1, -1]);
      const y = tf.concat([start(root, batch, conditions), before], 1);
      return decoder(scope, y, { encoded, mask: causalMask(length), train });
    }
    if (!inputMask) throw errors.noMask();
    const first = start(root, batch, conditions);
    const y = tf.concat([first, hide(root, embedTokens(root, sequence), inputMask)], 1);
    const { logits, out } = decoder(scope, y, { encoded, train });
    return { logits: tf.slice(logits, [0, 1, 0], [-1, -1, -1]), out };
  };

  const stepwise: Givt['stepwise'] = (root, { batch, ...conditions }) => {
    const scope = root.child('decoder');
    const { encoded } = conditions;
    const blank = tf.fill([layers, batch, num_heads, seq_len, width / num_heads], 0);
    const ofBlock = (layer: Scope, y: tf.Tensor) =>
      [y, encodedKeysAndValues(layer, encoded!, { width, num_heads })] as const;
    const [, ofEncoded] = encoded ? throughBlocks(scope, blank, ofBlock, blocksIn(scope)) : [];

    const step = (y: tf.Tensor, index: tf.Tensor, cache: GivtCache): GivtStep => {
      type Slice = { readonly before: GivtCache; readonly ofEncoded?: KeysAndValues };
      const body = (layer: Scope, y: tf.Tensor, known: Slice) =>
        decoderBlockStep(layer, y, { index, ...known }, block);
      const shown = takeAt(positions(scope), index);
      const options = { ...blocksIn(scope), xs: { before: cache, ofEncoded } };
      const [last, next] = throughBlocks<GivtCache, Slice>(scope, tf.add(y, shown), body, options);
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
    load: loadWithEncoder,
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
