// Evaluators of image-text models, and the data sources that they read texts from.

import { z } from 'zod';
import { dataSchema } from '../../../core/config/schema';
import { registerParity } from '../../../core/parity/register';
import type { Registrar } from '../../../core/plugin';
import { tokens } from '../../../core/train/run';
import { contrastive, contrastiveSchema } from './contrastive';
import { evaluatorRunners } from './parity';
import { promptsOf } from './prompts';
import { captions, retrieval, retrievalSchema, withIds } from './retrieval';
import { zeroshot, zeroshotSchema } from './zeroshot';

export { onlyTower } from './embed';

export function registerEvaluators({ register, container }: Registrar): void {
  registerParity(register, evaluatorRunners);

  register('evaluator', 'proj.image_text.contrastive', {
    doc: 'Contrastive loss and accuracy ("ncorrect_minibatch") within batches: both depend on the batch size.',
    options: contrastiveSchema,
    inject: [tokens.runtime, tokens.input],
    create: (options, runtime, pipeline) => (context) => contrastive(options, context, { runtime, pipeline }),
  });
  register('evaluator', 'proj.image_text.discriminative_classifier', {
    doc: 'Zero-shot classification with prompts, averaged over templates and names of a class (arXiv:2103.00020).',
    options: zeroshotSchema,
    inject: [tokens.runtime, tokens.input],
    create: (options, runtime, pipeline) => (context) => zeroshot(options, context, { runtime, pipeline }),
  });
  register('evaluator', 'proj.image_text.retrieval', {
    doc: 'Recall at 1, 5 and 10 of images by captions and of captions by images.',
    options: retrievalSchema,
    inject: [tokens.runtime, tokens.input],
    create: (options, runtime, pipeline) => (context) => retrieval(options, context, { runtime, pipeline }),
  });

  register('data', 'proj.image_text.prompts', {
    doc: 'Every template for every name of every class: `texts`, and the class as `label`.',
    options: z.strictObject({
      class_names: z.array(z.string()).describe('of each class, several separated by commas'),
      prompt_templates: z.array(z.string()).describe('texts with {} where the name belongs'),
    }),
    create: ({ class_names, prompt_templates }) => {
      const prompts = promptsOf(class_names, prompt_templates);
      return { size: prompts.length, get: (index) => ({ ...prompts[index] }) };
    },
  });
  const inner = z.strictObject({ data: dataSchema });
  register('data', 'proj.image_text.with_ids', {
    doc: 'Examples of another source, with their index as `id`.',
    options: inner,
    inject: [tokens.registry],
    create: async ({ data: { name, ...options } }, registry) =>
      withIds(await registry.create(container, 'data', name, options, 'data')),
  });
  register('data', 'proj.image_text.captions', {
    doc: 'An example for each caption of another source: `texts`, the index of its image as `id`, and `caption_i`.',
    options: inner.extend({
      txt_name: z.union([z.string(), z.array(z.string())]).describe('the feature with the captions'),
    }),
    inject: [tokens.registry],
    create: async ({ data: { name, ...options }, txt_name }, registry) =>
      captions(await registry.create(container, 'data', name, options, 'data'), txt_name),
  });
}
