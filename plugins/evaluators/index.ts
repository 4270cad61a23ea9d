// Evaluators: the names are the values of `type` in a config's `evals`.

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { classification, classificationSchema } from './classification';
import { evaluatorRunners } from './parity';

export { type ClassificationOptions, type Sums, sumsOf } from './classification';
export { checkBatchSize, forEachBatch } from './feed';

export default definePlugin({
  name: 'evaluators',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Metrics of models on held-out data.',

  register({ register, container }) {
    registerParity(register, evaluatorRunners);
    register('evaluator', 'classification', {
      doc: 'Top-1 accuracy ("prec@1") and loss of a classifier. An example with all-zero labels does not count; of several labels any is right.',
      options: classificationSchema,
      inject: [tokens.runtime, tokens.input, tokens.registry],
      create: (options, runtime, pipeline, registry) => (context) =>
        classification(options, context, {
          runtime,
          pipeline,
          lossNamed: (name, where) => registry.create(container, 'loss', name, {}, where),
        }),
    });
  },
});
