// Runs recorded cases of JetFormer.

import { modelRunner } from '../../core/parity';
import type { ParityRunner } from '../../core/parity/case';
import * as tf from '../../core/tensor';

type Parts = Readonly<Record<string, tf.Tensor>>;

export const jetformerRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/jetformer/jetformer': modelRunner({
    losses: {
      nll: ({ out }) => {
        const { text_log_prob, image_log_prob } = out as Parts;
        return tf.neg(tf.add(tf.mean(text_log_prob!), tf.mean(image_log_prob!)));
      },
    },
  }),
};
