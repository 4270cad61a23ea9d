// Losses: the names are the values of a config's `loss`.

import { z } from 'zod';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { lossRunners } from './parity';
import { sigmoidXent, softmaxXent, weightedSoftmaxXent } from './xent';

export { bidirectionalContrastiveLoss, type ContrastiveInputs } from './contrastive';
export { distance, type DistanceKind, distanceKinds, type DistanceOptions } from './distance';
export { siglipLoss, type SiglipInputs } from './siglip';
export { sigmoidXent, softmaxXent, weightedSoftmaxXent } from './xent';

export default definePlugin({
  name: 'losses',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Cross-entropy losses: sigmoid, softmax, and softmax over sequences of tokens.',

  register({ register }) {
    registerParity(register, lossRunners);
    register('loss', 'sigmoid_xent', {
      doc: 'One binary cross-entropy for each class, summed over classes: -sum y log s(x) + (1-y) log s(-x). logits and labels: [batch, classes], or any shapes that broadcast.',
      options: z.strictObject({}),
      create: () => sigmoidXent,
    });
    register('loss', 'softmax_xent', {
      doc: 'Cross-entropy of softmax(x) and the labels: -sum y log softmax(x). logits and labels: [batch, classes], or any shapes that broadcast.',
      options: z.strictObject({
        kl: z
          .boolean()
          .default(false)
          .describe('subtract the entropy of the labels: a divergence, 0 where softmax(x) = y'),
        axis: z.number().int().default(-1).describe('the axis of the classes'),
      }),
      create: softmaxXent,
    });
    register('loss', 'weighted_softmax_xent', {
      doc: 'Cross-entropy of sequences of tokens. logits: [batch, length, vocabulary]; labels: [batch, length] int32.',
      options: z.strictObject({
        label_smoothing: z
          .number()
          .min(0)
          .max(1)
          .default(0)
          .describe('probability that is spread over the other tokens'),
        normalize: z
          .boolean()
          .default(true)
          .describe('divide by the number of tokens, or by the sum of their weights'),
      }),
      create: weightedSoftmaxXent,
    });
  },
});
