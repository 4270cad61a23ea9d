// Runs recorded cases of the captioner's evaluators.

import { arraysBeside, caseParams, fetchAll, modelRunner, sendAll } from '../../core/parity';
import type { Batch, Params } from '../../core/extensions';
import type { ParityRunner } from '../../core/parity/case';
import * as tf from '../../core/tensor';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { perplexity } from './evaluators';
import type { Cappa } from './model';
import { predictFns } from './predict';
import { wordWeights } from './words';

export const cappaRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/cappa/cappa': modelRunner({
    methods: {
      encode: (model, scope, { image }, { train }) => {
        const { out } = (model as Cappa).encode(scope, image!, train);
        return { output: (out as Record<string, tf.Tensor>).encoded!, out };
      },
      decode: (model, scope, { encoded, targets }, { train }) => ({
        output: (model as Cappa).decode(scope, encoded!, targets!, train),
        out: {},
      }),
    },
    losses: {
      // The call's argument has another name than the batch's.
      weighted_softmax_xent: ({ output }, { text, labels = text!, ...batch }) =>
        weightedSoftmaxXent({ label_smoothing: 0, normalize: true })({
          logits: output as tf.Tensor,
          labels,
          weights: wordWeights({ ...batch, labels }),
        }),
    },
  }),

  'evaluator proj/cappa/scoring_classifier': async (recorded, services) => {
    const { runtime } = services;
    const { score, perplexity: captions } = predictFns({ model: recorded.args });
    const f = (params: Params, { label_tokens: _label_tokens, ...batch }: Batch) => {
      const scores = score(params, { ...batch, _label_tokens: _label_tokens! }).output as tf.Tensor;
      const logits = captions(params, batch).output as tf.Tensor;
      return {
        score: scores,
        prediction: tf.cast(tf.argMax(scores, 1), 'int32'),
        perplexity: perplexity(logits, batch, false),
        perplexity_normalized: perplexity(logits, batch, true),
      };
    };
    const batch = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Batch;
    return fetchAll(runtime, runtime.jit(f, { name: 'parity cappa' })(caseParams(recorded, services), batch));
  },
};
