// Runs recorded cases of PaliGemma: the model with its loss, its mask, and decoding.

import type { Batch, Params, PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { arraysBeside, caseParams, fetchAll, modelRunner, sendAll } from '../../core/parity';
import type { ParityRunner } from '../../core/parity/case';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { extend, prefill } from './cache';
import { perplexities } from './evaluators';
import { perplexity } from './loss';
import { attentionMask } from './mask';
import type { Paligemma } from './model';
import { predictFns } from './predict';
import { parseSampler } from './sampler';

export const paligemmaRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/paligemma/paligemma': modelRunner({
    losses: {
      paligemma: ({ output }, { targets, weights }) =>
        tf.mean(perplexity(output as tf.Tensor, targets!, weights!, 0.1)),
    },
  }),

  // Logits after the prompt and after each of `words`; and what the predict functions say.
  'model proj/paligemma/predict_fns': async (recorded, services) => {
    const { runtime, registry, container } = services;
    const calls = recorded.calls as Readonly<Record<string, { readonly method: string }>>;
    const made = registry.create(container, 'model', 'proj.paligemma.paligemma', recorded.args, 'args');
    const model = made as Paligemma;
    const fns: Readonly<Record<string, PredictFn>> = predictFns(model);
    const decoded = (params: Params, batch: Batch, { method, ...options }: { readonly method: string }) => {
      const { output } = fns[method]!(params, batch, options);
      const [tokens, logp] = [output].flat() as [tf.Tensor, tf.Tensor?];
      return { tokens, ...(logp && { logp }) };
    };
    const f = (params: Params, { words, ...batch }: Batch): Tree<tf.Tensor> => {
      const scope = Scope.reading(params);
      const each = tf.unstack(words!, 1);
      let step = prefill(model, scope, batch, each.length);
      const logits = [step.logits];
      for (const word of each) {
        step = extend(model, scope, step.reading, word);
        logits.push(step.logits);
      }
      const answers = Object.entries(calls).map(
        ([name, call]) => [name, decoded(params, batch, call)] as const,
      );
      return { logits, ...Object.fromEntries(answers) };
    };
    const batch = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Batch;
    return fetchAll(
      runtime,
      runtime.jit(f, { name: 'parity decode' })(caseParams(recorded, services), batch),
    );
  },

  'model proj/paligemma/predict_fns:samplers': async ({ args, call, inputs }, { runtime }) => {
    const samplers = (args.samplers as string[]).map(parseSampler);
    const key = tf.random.keyArray(tf.random.key(call!.rngs!.sampler!));
    const { logits } = sendAll(runtime, Object.fromEntries(inputs)) as Record<string, tf.Tensor>;
    const f = (x: tf.Tensor, key: tf.Tensor) => samplers.map((sample) => sample(x, key));
    return fetchAll(runtime, runtime.jit(f, { name: 'parity samplers' })(logits!, runtime.toDevice(key)));
  },

  'evaluator proj/paligemma/perplexity': async ({ args, inputs }, { runtime }) => {
    const { key, shift_labels, pad_token = null } = args as Parameters<typeof perplexities>[2];
    const batch = sendAll(runtime, Object.fromEntries(inputs)) as Batch;
    const f = ({ logits, ...rest }: Batch) =>
      perplexities(logits!, rest as Batch, { key, shift_labels, pad_token });
    return fetchAll(runtime, runtime.jit(f, { name: 'parity perplexity' })(batch));
  },

  'model proj/paligemma/paligemma:make_attn_mask': async ({ inputs }, { runtime }) => {
    const { input_mask, mask_ar } = sendAll(runtime, Object.fromEntries(inputs)) as Record<string, tf.Tensor>;
    const f = (valid: tf.Tensor, ar: tf.Tensor) => ({ output: attentionMask(tf.cast(valid, 'bool'), ar) });
    return fetchAll(runtime, runtime.jit(f, { name: 'parity make_attn_mask' })(input_mask!, mask_ar!));
  },
};
