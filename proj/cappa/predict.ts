// What evaluators ask of a captioner.

import type { Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import * as tf from '../../core/tensor';
import { greedy, sample } from '../../plugins/decoder';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { cappa, cappaOptions } from './model';
import { wordWeights } from './words';

type Names = 'perplexity' | 'enc_rep' | 'score' | 'caption';

/** Predict functions of the model with these options. All take `image`: [batch, height, width, channels]. */
export function predictFns(config: { readonly model?: unknown }): Record<Names, PredictFn> {
  const options = parseOptions(cappaOptions, config.model, 'model');
  const { apply, encode, decode, stepwise } = cappa(options);
  const encoded = (params: Params, image: tf.Tensor) => {
    const scope = Scope.reading(params);
    const { out } = encode(scope, image);
    return { scope, out, encoded: (out as { encoded: tf.Tensor }).encoded };
  };
  const xent = weightedSoftmaxXent({ label_smoothing: 0, normalize: false });

  return {
    /** Logits of the batch's `labels`. */
    perplexity: (params, batch) => apply(Scope.reading(params), batch, { train: false }),

    /** What the encoder gives, and between: `pre_logits` is for few-shot evaluation. */
    enc_rep: (params, { image }) => {
      const { out, encoded: output } = encoded(params, image!);
      return { output, out };
    },

    /** The log-likelihood of each of `_label_tokens`, int32 [texts, length]: float [batch, texts]. */
    score: (params, { image, _label_tokens: texts }) => {
      const { scope, encoded: seen } = encoded(params, image!);
      const batch = image!.shape[0] as number;
      // One after the other, since a thousand classes at once take too much memory.
      const likelihood = (_: object, text: tf.Tensor) => {
        const labels = tf.broadcastTo(tf.expandDims(text), [batch, text.shape[0] as number]);
        const logits = decode(scope, seen, labels);
        const loss = xent({ logits, labels, weights: wordWeights({ labels }) }, { reduction: false });
        return [{}, tf.neg(loss)] as const;
      };
      const [, scores] = tf.scan(likelihood, {}, texts!);
      return { output: tf.transpose(scores), out: {} };
    },

    /** The likeliest words one after the other: int32 [batch, seq_len]. */
    caption: (params, { image }) => {
      const { scope, encoded: seen } = encoded(params, image!);
      const { seq_len } = options;
      const blank = tf.fill([image!.shape[0] as number, seq_len], 0, 'int32');
      const key = tf.tensor([0, 0], [2], 'int32');
      const drawing = { temperature: greedy, eos_token: -1 };
      const { sequences, scores, logprobs } = sample(stepwise(scope, seen, seq_len), blank, key, drawing);
      return { output: sequences, out: { scores, logprobs } };
    },
  };
}
