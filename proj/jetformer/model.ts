// The transformer: a text and the real-valued tokens of an image in one sequence, in either order (README.md).

import { z } from 'zod';
import { loadAsIs } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { CallOptions, Model } from '../../core/extensions';
import { normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { NestedRecord } from '../../core/tree';
import { type Backbone, backbone, blockFields, checkHeads, rmsNorm } from '../../plugins/gemma';
import { attend, dense, embed } from '../../plugins/layers';
import { type Density, density, numLogits, type Temperatures } from '../../plugins/mixture';
import { byExample, interleave, positionsOf, predictions, type Sequence } from './sequence';

const count = z.int().min(1);
const id = z.int().min(0);

export const jetformerOptions = z
  .strictObject({
    width: count.describe('width of the tokens'),
    depth: z.int().min(0).describe('number of blocks'),
    mlp_dim: count.describe('width inside the MLPs'),
    num_heads: count.describe('heads of queries'),
    num_kv_heads: count.describe('heads of keys and values, a divisor of num_heads'),
    head_dim: count.describe('width of a head'),
    ...blockFields,
    remat_policy: blockFields.remat_policy.default('nothing_saveable'),
    vocab_size: count.default(1000).describe('number of words'),
    bos_id: id.describe('the word that begins a text'),
    boi_id: id.nullable().default(null).describe('the word that begins an image; null: as a text'),
    nolabel_id: id.describe('the word in place of those of a prefix that is dropped'),
    num_vocab_repeats: count
      .default(1)
      .describe('a text is repeated this often, each time in a vocabulary of its own'),
    causal_mask_on_prefix: z
      .boolean()
      .default(true)
      .describe('tokens of the first part see those before them alone; otherwise the whole part'),
    untie_output_vocab: z.boolean().default(false).describe('logits of words have a kernel of their own'),
    num_mixtures: count.default(4).describe("components of the distribution of an image's token"),
    multivariate: z.boolean().default(false).describe('one component with a full covariance'),
    out_dim: count.default(32).describe("numbers in an image's token"),
    scale_tol: z.number().positive().default(1e-6).describe('smallest standard deviation'),
    head_dtype: z
      .enum(['float32', 'bfloat16', 'float16'])
      .default('float32')
      .describe("what the head of the image's tokens computes in"),
    per_modality_final_norm: z
      .boolean()
      .default(false)
      .describe('a last norm for words and one for tokens of images, rather than one for all'),
    drop_labels_probability: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('of training without the text before an image, for guidance'),
  })
  .refine(({ multivariate, num_mixtures }) => !multivariate || num_mixtures === 1, {
    path: ['num_mixtures'],
    message: 'multivariate takes num_mixtures: 1',
  })
  .refine(({ untie_output_vocab, num_vocab_repeats }) => !untie_output_vocab || num_vocab_repeats === 1, {
    path: ['num_vocab_repeats'],
    message: 'untie_output_vocab takes num_vocab_repeats: 1',
  });
export type JetformerOptions = z.output<typeof jetformerOptions>;

/** Texts and images, and who comes first. */
export interface TextAndImage {
  /** int32 [batch, text length] */
  readonly text: tf.Tensor;
  /** float [batch, image length, out_dim] */
  readonly image: tf.Tensor;
  /** bool [batch] */
  readonly textFirst: tf.Tensor;
  /** Which words count: bool [batch, text length]; default: all. */
  readonly textMask?: tf.Tensor;
  /** Whose first part is hidden: bool [batch]; default: nobody's. */
  readonly dropPrefix?: tf.Tensor;
}

export interface Jetformer extends Model {
  readonly options: JetformerOptions;
  /** The sequence of embedded tokens; `shift`: without the last one. */
  sequence(scope: Scope, batch: TextAndImage, shift: boolean): Sequence;
  /**
   * Logits of every word and every token of the image from what comes before it.
   * @returns text: float [batch, text length, vocab_size * num_vocab_repeats]; image: float [batch, image length, logits]
   */
  logits(scope: Scope, batch: TextAndImage, train: boolean): Logits;
  readonly blocks: Pick<Backbone, 'prefill' | 'extend'>;
  /** Float [batch, length, out_dim] -> [batch, length, width]. */
  embedImage(scope: Scope, image: tf.Tensor): tf.Tensor;
  /** Int32 [batch, length] -> float [batch, length, width]. */
  embedWords(scope: Scope, words: tf.Tensor): tf.Tensor;
  /** What the heads take of what the blocks give. */
  headInput(encoded: Encoded): tf.Tensor;
  /** Float [batch, length, width] -> [batch, length, vocab_size * num_vocab_repeats]. */
  textLogits(scope: Scope, x: tf.Tensor): tf.Tensor;
  /** Float [batch, length, width] -> [batch, length, logits], of the storage of `head_dtype`. */
  imageLogits(scope: Scope, x: tf.Tensor): tf.Tensor;
  /** Of the image's tokens, from their logits. */
  distribution(logits: tf.Tensor, temperatures?: Temperatures): Density;
}
type Encoded = Readonly<Record<'encoded' | 'pre_logits', tf.Tensor>>;
export interface Logits {
  readonly text: tf.Tensor;
  readonly image: tf.Tensor;
  readonly out: NestedRecord<tf.Tensor>;
}

const errors = catalogue('jetformer', {
  batch: (v: { missing: readonly string[] }) => ({
    what: `The batch has no ${v.missing.map((name) => `"${name}"`).join(', ')}.`,
    fix: 'give text_tokens as int32 [batch, length], image_tokens as float [batch, length, out_dim] and text_first_mask as bool [batch].',
  }),
});

/** The model of these options. A batch has `text_tokens`, `image_tokens`, `text_first_mask`; optionally `text_input_mask` and `drop_prefix`. */
export function jetformer(options: JetformerOptions): Jetformer {
  const { width, vocab_size, num_vocab_repeats: repeats, head_dtype } = options;
  checkHeads(options);
  const blocks = backbone({
    ...options,
    query_pre_attn_norm: 'rsqrt_head_dim',
    attn_logits_softcap: 0,
    post_norms: false,
  });
  const mixture = { ...options, per_channel_mixtures: false, fix_square_plus: true };
  const table = { size: vocab_size * repeats, features: width, init: normal(1) };

  const embedWords = (scope: Scope, words: tf.Tensor) =>
    embed(scope.child('EmbedText'), tf.cast(words, 'int32'), table);
  const embedImage = (scope: Scope, image: tf.Tensor) => dense(scope.child('EmbedImage'), image, width);
  const special = (scope: Scope, word: number) => embedWords(scope, tf.fill([1, 1], word, 'int32'));

  /** Words in all the vocabularies, one after the other: [batch, length] -> [batch, repeats * length]. */
  const repeated = (words: tf.Tensor) => {
    const copies = Array.from({ length: repeats }, (_, i) =>
      tf.add(words, tf.scalar(i * vocab_size, 'int32')),
    );
    return tf.concat(copies, 1);
  };

  const sequence: Jetformer['sequence'] = (
    scope,
    { text, image, textFirst, textMask, dropPrefix },
    shift,
  ) => {
    const [batch, imageLength] = image.shape as [number, number, number];
    const textLength = text.shape[1] as number;
    const words = repeated(tf.cast(text, 'int32'));
    const hidden = embedWords(scope, repeated(tf.fill([1, 1], options.nolabel_id, 'int32')));
    let x = embedWords(scope, words);
    let seen = embedImage(scope, image);
    let valid = textMask
      ? tf.tile(tf.cast(textMask, 'bool'), [1, repeats])
      : tf.fill([batch, words.shape[1] as number], 1, 'bool');
    if (dropPrefix) {
      const dropText = tf.logicalAnd(textFirst, dropPrefix);
      const dropImage = tf.logicalAnd(tf.logicalNot(textFirst), dropPrefix);
      x = byExample(dropText, spread(hidden, textLength), x);
      // A text that isn't shown is of full length.
      valid = tf.logicalOr(valid, tf.expandDims(dropText, 1));
      seen = byExample(dropImage, tf.slice(hidden, [0, 0, 0], [1, 1, width]), seen);
    }
    return interleave(
      {
        text: { x, valid },
        image: { x: seen, valid: tf.fill([batch, imageLength], 1, 'bool') },
        bos: special(scope, options.bos_id),
        ...(options.boi_id !== null && { boi: special(scope, options.boi_id) }),
        textFirst,
      },
      { causalPrefix: options.causal_mask_on_prefix, shift },
    );
  };

  const headInput: Jetformer['headInput'] = ({ encoded, pre_logits }) =>
    options.per_modality_final_norm ? encoded : pre_logits;
  const normed = (scope: Scope, name: string, x: tf.Tensor) =>
    options.per_modality_final_norm ? rmsNorm(scope.child(name), x) : x;
  const textLogits: Jetformer['textLogits'] = (scope, x) => {
    const y = normed(scope, 'TextNorm', x);
    return options.untie_output_vocab
      ? dense(scope.child('LogitsText'), y, vocab_size, { kernelInit: normal(1) })
      : attend(scope.child('EmbedText'), y, table);
  };
  const imageLogits: Jetformer['imageLogits'] = (scope, x) =>
    dense(scope.child('LogitsImage'), normed(scope, 'ImageNorm', x), numLogits(mixture), {
      kernelInit: zeros,
      ...(head_dtype !== 'float32' && { dtype: head_dtype }),
    });

  const logits: Jetformer['logits'] = (scope, batch, train) => {
    const { x, valid, mask } = sequence(scope, batch, true);
    const places = { positions: positionsOf(valid), mask };
    const { blocks: after, ...encoded } = blocks.transform(scope.child('decoder'), x, places, train);
    const ofBlocks = after.map((rep, i) => [`block${String(i).padStart(2, '0')}_rep`, rep] as const);
    const lengths = { text: batch.text.shape[1] as number, image: batch.image.shape[1] as number };
    const at = predictions(headInput(encoded), batch.textFirst, { ...lengths, repeats, hasBoi: options.boi_id !== null }); // prettier-ignore
    return {
      text: textLogits(scope, at.text),
      image: imageLogits(scope, at.image),
      out: { ...Object.fromEntries(ofBlocks), ...encoded },
    };
  };

  return {
    options,
    sequence,
    logits,
    blocks: {
      prefill: (scope, ...rest) => blocks.prefill(scope.child('decoder'), ...rest),
      extend: (scope, ...rest) => blocks.extend(scope.child('decoder'), ...rest),
    },
    embedImage,
    embedWords,
    headInput,
    textLogits,
    imageLogits,
    distribution: (ofTokens, temperatures) => density(ofTokens, mixture, temperatures),
    load: loadAsIs,
    apply(scope, batch, { train }: CallOptions) {
      const required = ['text_tokens', 'image_tokens', 'text_first_mask'] as const;
      const missing = required.filter((name) => !batch[name]);
      if (missing.length > 0) throw errors.batch({ missing });
      const { text_tokens, image_tokens, text_first_mask, text_input_mask, drop_prefix } = batch;
      const bool = (x: tf.Tensor | undefined) => x && tf.cast(x, 'bool');
      const given = {
        text: text_tokens as tf.Tensor,
        image: image_tokens as tf.Tensor,
        textFirst: bool(text_first_mask) as tf.Tensor,
        textMask: bool(text_input_mask),
        dropPrefix: bool(drop_prefix),
      };
      const { text, image, out } = logits(scope, given, train);
      const log_probs = {
        text_log_prob: wordLogProbs(text, given.text),
        image_log_prob: density(image, mixture).logProb(given.image),
      };
      return { output: { text_logits: text, image_logits: image }, out: { ...out, ...log_probs } };
    },
  };
}

/**
 * Logarithms of the words' probabilities, minus infinity for what is no word.
 * @param logits float [batch, length, vocabulary]
 * @param words int32 [batch, length]
 * @returns float [batch, length]
 */
export function wordLogProbs(logits: tf.Tensor, words: tf.Tensor): tf.Tensor {
  const vocabulary = logits.shape[2] as number;
  const ids = tf.cast(words, 'int32');
  const own = tf.equal(tf.expandDims(ids, -1), tf.range(0, vocabulary, 1, 'int32'));
  const chosen = tf.sum(tf.where(own, tf.logSoftmax(logits), 0), -1);
  const known = tf.logicalAnd(
    tf.greaterEqual(ids, tf.scalar(0, 'int32')),
    tf.less(ids, tf.scalar(vocabulary, 'int32')),
  );
  return tf.where(known, chosen, -Infinity);
}

/** Each token `times` times in a row: [1, n, width] -> [1, n * times, width]. */
function spread(tokens: tf.Tensor, times: number): tf.Tensor {
  const [, n, width] = tokens.shape as [number, number, number];
  return tf.reshape(tf.broadcastTo(tf.reshape(tokens, [1, n, 1, width]), [1, n, times, width]), [1, n * times, width]); // prettier-ignore
}
