// How likely captions are, and classification by how likely the classes' names are.

import { z } from 'zod';
import { createPipeline } from '../../core/call-string';
import { HostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Batch, PpOp } from '../../core/extensions';
import type { Registrar } from '../../core/plugin';
import * as tf from '../../core/tensor';
import { tokens } from '../../core/train/run';
import { meanOfExamples, onlyOutput, passOptions } from '../../plugins/evaluators';
import { exampleRng } from '../../plugins/input';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { classNames } from '../../plugins/pp';
import { wordWeights } from './words';

const errors = catalogue('cappa', {
  noNames: (v: { name: string; dataset: string }) => ({
    what: `evals.${v.name}: the data source "${v.dataset}" has no names of classes.`,
    fix: 'use one that has, such as data-folder.',
  }),
  noTokens: (v: { name: string; found: readonly string[] }) => ({
    what: `evals.${v.name}.pp_txt makes ${v.found.join(', ') || 'nothing'} of a class's name, and no array "labels".`,
    fix: 'let it tokenize "label" to "labels", to the same length for all names.',
  }),
});

/** Of a batch's captions, how many nats they take: float [batch]; a word's share with `perWord`. Traced. */
export function perplexity(logits: tf.Tensor, batch: Batch, perWord: boolean): tf.Tensor {
  const xent = weightedSoftmaxXent({ label_smoothing: 0, normalize: perWord });
  return xent({ logits, labels: batch.labels!, weights: wordWeights(batch) }, { reduction: false });
}

/** The texts of all classes as words: int32 [classes, length]. */
async function tokenize(
  names: readonly string[],
  pipeline: PpOp,
  evaluator: string,
): Promise<{ readonly data: Int32Array; readonly shape: [number, number] }> {
  const rows: HostArray[] = [];
  for (const label of names) {
    const example = await pipeline({ label }, exampleRng(0, 0, rows.length));
    const { labels } = example;
    if (!(labels instanceof HostArray) || labels.data.length !== (rows[0] ?? labels).data.length)
      throw errors.noTokens({ name: evaluator, found: Object.keys(example) });
    rows.push(labels);
  }
  return {
    data: Int32Array.from(rows.flatMap(({ data }) => [...data])),
    shape: [rows.length, rows[0]?.data.length ?? 0],
  };
}

export function registerEvaluators({ register, container }: Registrar): void {
  register('evaluator', 'proj.cappa.perplexity', {
    doc: 'How many nats the captions "labels" take on average ("perplexity"), without padding (0) and what "label_masks" leaves out. Its predict function: perplexity.',
    options: z.strictObject({
      ...passOptions,
      normalize_by_seqlen: z.boolean().default(false).describe('nats for each word of a caption'),
    }),
    inject: [tokens.runtime, tokens.input],
    create:
      ({ normalize_by_seqlen, ...options }, runtime, pipeline) =>
      (context) =>
        meanOfExamples(options, context, { runtime, pipeline }, (params, batch) => ({
          perplexity: perplexity(
            onlyOutput(context.name, context.predict(params, batch)),
            batch,
            normalize_by_seqlen,
          ),
        })),
  });

  register('evaluator', 'proj.cappa.scoring_classifier', {
    doc: 'Accuracy ("prec@1") of the class whose name is the likeliest caption. ImageNet has the names of CLIP, others those of the data source. Its predict function: score.',
    options: z.strictObject({
      ...passOptions,
      pp_txt: z.string().describe('preprocessing of a class\'s name, from "label" to "labels"'),
    }),
    inject: [tokens.runtime, tokens.input, tokens.registry],
    create:
      ({ pp_txt, ...options }, runtime, pipeline, registry) =>
      async (context) => {
        const { name: dataset, ...source } = options.data;
        const where = `evals.${context.name}`;
        const { classes } =
          dataset === 'imagenet2012'
            ? { classes: classNames('clip_i1k') }
            : await registry.create(container, 'data', dataset, source, `${where}.data`);
        if (!classes) throw errors.noNames({ name: context.name, dataset });
        const ofNames = createPipeline(pp_txt, registry, container, `${where}.pp_txt`);
        const { data, shape } = await tokenize(classes, ofNames, context.name);
        return meanOfExamples(options, context, { runtime, pipeline }, (params, batch) => {
          const asked = { ...batch, _label_tokens: tf.tensor(data, shape, 'int32') };
          const scores = onlyOutput(context.name, context.predict(params, asked));
          return { 'prec@1': tf.equal(tf.cast(tf.argMax(scores, 1), 'int32'), batch.label!) };
        });
      },
  });
}
