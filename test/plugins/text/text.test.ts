// The text transformer against recordings of the original.

import type { Model } from '../../../core/extensions';
import type * as tf from '../../../core/tensor';
import { softmaxXent } from '../../../plugins/losses';
import { textOptions, textTransformer } from '../../../plugins/text';
import { testRecordedModel } from '../../support/model-cases';

const modelOf = (args: object): Model => textTransformer(textOptions.parse(args));

testRecordedModel('proj/image_text/text_transformer', modelOf, {
  losses: {
    softmax_xent: ({ output }, { labels }) =>
      softmaxXent({ kl: false, axis: -1 })({ logits: output as tf.Tensor, labels: labels as tf.Tensor }),
  },
});

test('refuses a variant that is none', () => {
  expect(textOptions.safeParse({ variant: 'huge' }).error?.message).toMatch(/NAME one of mu, Ti, S/);
});
