// The losses of a batch of pairs, each image with its own text.

import { catalogue, type ModelResult } from '../../core';
import type * as tf from '../../core/tensor';
import { bidirectionalContrastiveLoss, siglipLoss } from '../../plugins/losses';

const errors = catalogue('image-text', {
  noBias: () => ({
    what: 'The sigmoid loss adds a bias to the similarities, and the model has none.',
    fix: 'set model.bias_init (-10 in the paper), or image_text.loss to "softmax".',
  }),
});

/** A model's embeddings [batch, width], and its temperature and bias [1]. */
export function pairs({ output, out }: ModelResult) {
  const [zimg, ztxt] = output as readonly [tf.Tensor, tf.Tensor];
  const { t, b } = out as { t: tf.Tensor; b?: tf.Tensor };
  return { zimg, ztxt, t, b };
}
type Pairs = ReturnType<typeof pairs>;

export const lossNames = ['sigmoid', 'softmax'] as const;
export const pairLosses = {
  sigmoid: ({ b, ...rest }: Pairs, devices = 1) => {
    if (!b) throw errors.noBias();
    return siglipLoss({ ...rest, b }, { parts: devices });
  },
  softmax: (inputs: Pairs) => bidirectionalContrastiveLoss(inputs, { reduction: true }).loss,
};
