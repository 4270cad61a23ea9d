// Evaluators: the names are the values of `type` in a config's `evals`.

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { aside } from './aside';
import { classification, classificationSchema } from './classification';
import { passSchema } from './feed';
import { fewshot, fewshotSchema } from './fewshot';
import { gridSchema, saveGrid } from './grid';
import { evaluatorRunners } from './parity';
import { meanOfExamples, namedOutput } from './per-example';
import { save, saveSchema } from './save';

export { asideKey, type Json, readAside } from './aside';
export { collectRows } from './collect';
export { batchKey, keyOfIds } from './batch-key';
export { type ClassificationOptions, type Sums, sumsOf } from './classification';
export { type ExampleFn, forEachExample, onlyOutput } from './each-example';
export { forEachBatch, openPass, passOptions, type PassOptions, passSchema, type PassServices } from './feed';
export { meanOfExamples, namedOutput } from './per-example';
export { countedRows, rowsOf } from './rows';
export { outfileOf, save } from './save';

export default definePlugin({
  name: 'evaluators',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Metrics of models on held-out data.',

  register({ register, container }) {
    registerParity(register, evaluatorRunners);
    register('pp', 'aside', aside);
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
    register('evaluator', 'mean', {
      doc: 'Means of what the predict function gives by name, one value for each example: pred="loss" for the loss.',
      options: passSchema,
      inject: [tokens.runtime, tokens.input],
      create: (options, runtime, pipeline) => (context) =>
        meanOfExamples(options, context, { runtime, pipeline }, (params, batch) =>
          namedOutput(context.name, context.predict(params, batch)),
        ),
    });
    register('evaluator', 'save', {
      doc: 'Writes inputs and outputs of the predict function into an npz file.',
      options: saveSchema,
      inject: [tokens.runtime, tokens.input],
      create: (options, runtime, pipeline) => (context) => save(options, context, { runtime, pipeline }),
    });
    register('evaluator', 'save_grid', {
      doc: 'Draws the first examples, a row each, with what is given, wanted and predicted side by side, into a PNG file of the workdir.',
      options: gridSchema,
      inject: [tokens.runtime, tokens.input],
      create: (options, runtime, pipeline) => (context) => saveGrid(options, context, { runtime, pipeline }),
    });
    register('evaluator', 'fewshot_lsr', {
      doc: 'Few-shot linear classification: ridge regression from frozen features of a few examples of each class.',
      options: fewshotSchema,
      inject: [tokens.runtime, tokens.input],
      create: (options, runtime, pipeline) => (context) => fewshot(options, context, { runtime, pipeline }),
    });
  },
});
