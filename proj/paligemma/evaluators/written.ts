// Captions, and answers that are only written down.

import { z } from 'zod';
import type { Evaluator, EvaluatorContext } from '../../../core/extensions';
import type { Json } from '../../../plugins/evaluators';
import { answerOptions, answersOf, type AnswerServices, outfileOption, textsOf, writeJson } from './answers';
import { bleu, type Captioned, cider, rougeL } from './captions';
import { captionWords } from './ptb';

const files = {
  preds_outfile: outfileOption('{workdir}/{name}_{split}_preds.json'),
  annot_outfile: outfileOption('{workdir}/{name}_{split}_annotations.json'),
};

export const captionSchema = z.strictObject({
  ...answerOptions,
  ...files,
  metrics: z
    .array(
      z.enum(['cider', 'bleu-4', 'rouge'], {
        error: 'meteor and spice need Java; one of cider, bleu-4, rouge',
      }),
    )
    .default(['cider'])
    .describe('bleu-4 is also bleu-1 to bleu-3'),
});

/** Of captions and those that people wrote. */
export const captionMetrics: Readonly<
  Record<string, (captioned: readonly Captioned[]) => Readonly<Record<string, number>>>
> = {
  cider: (captioned) => ({ cider: cider(captioned) }),
  'bleu-4': (captioned) => Object.fromEntries(bleu(captioned).map((score, n) => [`bleu-${n + 1}`, score])),
  rouge: (captioned) => ({ rouge: rougeL(captioned) }),
};

/** Metrics of captions against those under `captions` of each example. Of several captions of one `image/id` the last counts. */
export async function captionEvaluator(
  { metrics, preds_outfile, annot_outfile, ...options }: z.output<typeof captionSchema>,
  context: EvaluatorContext,
  services: AnswerServices,
): Promise<Evaluator> {
  const pass = await answersOf(options, context, services, ['image/id', 'captions']);
  return {
    async *run(params, step) {
      const captions = new Map<Json, Captioned>();
      const [preds, annotations]: [Json[], Json[]] = [[], []];
      await pass(params, ({ text, truth }) => {
        const image_id = truth['image/id'] ?? null;
        const references = textsOf(truth.captions);
        preds.push({ image_id, caption: text });
        annotations.push(...references.map((caption) => ({ image_id, caption })));
        const before = captions.get(image_id)?.references ?? [];
        captions.set(image_id, {
          caption: captionWords(text),
          references: [...before, ...references.map(captionWords)],
        });
      });
      for (const metric of metrics) yield* Object.entries(captionMetrics[metric]!([...captions.values()]));
      await writeJson(preds_outfile, preds, context, services, step, options.data);
      await writeJson(annot_outfile, annotations, context, services, step, options.data);
    },
  };
}

export const storeSchema = z.strictObject({
  ...answerOptions,
  ...files,
  id_key: z.string().default('id').describe('what names an example'),
});

export async function storeAnswers(
  { id_key, preds_outfile, annot_outfile: _, ...options }: z.output<typeof storeSchema>,
  context: EvaluatorContext,
  services: AnswerServices,
): Promise<Evaluator> {
  const pass = await answersOf(options, context, services, [id_key]);
  return {
    async *run(params, step) {
      const written: Json[] = [];
      await pass(params, ({ text, truth }) => {
        written.push({ [id_key]: String(truth[id_key]), caption: text });
      });
      await writeJson(preds_outfile, written, context, services, step, options.data);
      yield ['num_examples', written.length];
    },
  };
}
