// What evaluators ask of stage II.

import type { Batch, Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { batchKey } from '../../plugins/evaluators';
import { density } from '../../plugins/mixture';
import { generate } from './decode_ar';
import { generateMasked } from './decode_masked';
import { depthOf } from './depth';
import { adaptorName, conditionsOf, likelihood, type Parts, tokensOf } from './likelihood';
import { panopticOf } from './panoptic';
import type { Stage2Options } from './stage2';

type Names =
  'sample' | 'sample_panoptic' | 'sample_depth' | 'sample_teacher_forced' | 'representation' | 'validation';

/** Predict functions of a run's parts. What they draw depends on the batch and `sampling_seed`. */
export function predictFns(parts: Parts, options: Stage2Options): Record<Names, PredictFn> {
  const { model, map } = parts;
  const { style } = model.options;
  const keyOf = (batch: Batch) => batchKey(batch, options.sampling_seed);
  /** What stage I makes of tokens: images, or their parts by name. */
  const imagesOf = (params: Params, tokens: tf.Tensor): Tree<tf.Tensor> => {
    const code = map ? map.inverse(Scope.reading(params).child(adaptorName), tokens) : tokens;
    const stage1 = parts.stage1();
    return stage1.model.decode(Scope.reading(stage1.params), code);
  };
  /** Images that are drawn, and the log-probability of what was drawn: of beams alone, else 0. */
  const drawn = (params: Params, batch: Batch) => {
    const scope = Scope.reading(params);
    const key = keyOf({ ...batch, image: (batch.image ?? batch.cond_image) as tf.Tensor });
    if (style === 'masked') {
      const tokens = generateMasked(model, scope, key, batch.labels as tf.Tensor, options.masked_generation_config); // prettier-ignore
      return { logits: imagesOf(params, tokens) };
    }
    const size = ((batch.labels ?? batch.image ?? batch.cond_image) as tf.Tensor).shape[0] as number;
    const given = { ...conditionsOf(model, scope, batch, false), batch: size };
    const { tokens, logprobs } = generate(model, scope, key, given, options.ar_generation_config);
    return { logits: imagesOf(params, tokens), logprobs };
  };

  return {
    /** `logits`: images, or the logits of their parts; `logprobs` of beams: float [batch]. */
    sample: (params, batch) => ({ output: drawn(params, batch), out: {} }),

    /** Classes and objects: int32 [batch, height, width, 2]. */
    sample_panoptic: (params, batch) => ({ output: panopticOf(drawn(params, batch).logits), out: {} }),

    /** `depth` in metres: float [batch, height, width]. */
    sample_depth: (params, batch) => {
      const { depth } = drawn(params, batch).logits as Readonly<Record<string, tf.Tensor>>;
      return { output: { depth: depthOf(depth as tf.Tensor, options) }, out: {} };
    },

    /** Images of tokens each of which is drawn from those of the batch's own image before it. */
    sample_teacher_forced: (params, batch) => {
      const key = keyOf(batch);
      const sequence = tokensOf(parts, params, batch.image as tf.Tensor, key);
      const [size, length] = sequence.shape as [number, number, number];
      const scope = Scope.reading(params, { dropout: key });
      const inputMask = style === 'masked' ? tf.fill([size, length], 0, 'bool') : undefined;
      const { logits } = model.decode(scope, sequence, {
        ...conditionsOf(model, scope, batch, true),
        inputMask,
        train: true,
      });
      const tokens = density(logits, model.options).sample(tf.random.split(key)[0] as tf.Tensor);
      return { output: { logits: imagesOf(params, tokens) }, out: {} };
    },

    /** Logits of the tokens; means over tokens after each block are its intermediates, `pre_logits` for few-shot evaluation. */
    representation: (params, batch) => {
      const sequence = tokensOf(parts, params, batch.image as tf.Tensor, keyOf(batch));
      const scope = Scope.reading(params);
      const { logits, out } = model.decode(scope, sequence, conditionsOf(model, scope, batch, false));
      return { output: logits, out };
    },

    /** What training measures, for each example: `nll` and of a masked model `fraction_masked_out`, float [batch]. */
    validation: (params, batch) => {
      const { nll, mask } = likelihood(parts, params, batch, batchKey(batch, 0));
      const size = nll.shape[0] as number;
      return {
        output: {
          nll: tf.mean(tf.reshape(nll, [size, -1]), 1),
          ...(mask && { fraction_masked_out: tf.mean(tf.cast(mask, 'float32'), 1) }),
        },
        out: {},
      };
    },
  };
}
