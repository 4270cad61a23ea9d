// Runs recorded cases of PaliGemma: the model with its loss, and its mask.

import { fetchAll, modelRunner, sendAll } from '../../core/parity';
import type { ParityRunner } from '../../core/parity/case';
import * as tf from '../../core/tensor';
import { perplexity } from './loss';
import { attentionMask } from './mask';

export const paligemmaRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/paligemma/paligemma': modelRunner({
    losses: {
      paligemma: ({ output }, { targets, weights }) =>
        tf.mean(perplexity(output as tf.Tensor, targets!, weights!, 0.1)),
    },
  }),

  'model proj/paligemma/paligemma:make_attn_mask': async ({ inputs }, { runtime }) => {
    const { input_mask, mask_ar } = sendAll(runtime, Object.fromEntries(inputs)) as Record<string, tf.Tensor>;
    const f = (valid: tf.Tensor, ar: tf.Tensor) => ({ output: attentionMask(tf.cast(valid, 'bool'), ar) });
    return fetchAll(runtime, runtime.jit(f, { name: 'parity make_attn_mask' })(input_mask!, mask_ar!));
  },
};
