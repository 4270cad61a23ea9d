// The evaluators of the stock trainer.

import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { classification, classificationOptions } from './classification';

export { accumulate, classification } from './classification';

export default definePlugin({
  name: 'evaluators',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Metrics of a model on data.',
  register({ register, container }) {
    register('evaluator', 'classification', {
      doc: 'Top-1 accuracy (prec@1) and mean loss on labelled data. With several labels any of them is a hit; examples without a label, and padding, do not count.',
      options: classificationOptions,
      inject: [tokens.runtime, tokens.input, tokens.registry],
      create: (options, runtime, input, registry) => (context) =>
        classification(options, context, { runtime, input, registry, container }),
    });
  },
});
