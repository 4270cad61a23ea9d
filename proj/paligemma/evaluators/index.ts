// Evaluators of PaliGemma and of what it is transferred to, under the original's names.

import { z } from 'zod';
import type { Evaluator, EvaluatorContext } from '../../../core/extensions';
import type { Registrar } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import { meanOfExamples, onlyOutput, passOptions } from '../../../plugins/evaluators';
import { weightedSoftmaxXent } from '../../../plugins/losses';
import { answerOptions, type AnswerServices, outfileOption, type Scorer, scored } from './answers';
import { ChartQa, Pope, ScienceQa, TallyQa } from './exact';
import { segmentation, segmentationSchema } from './segmentation';
import { Rsvqa, Vqa } from './vqa';
import { Vqav2 } from './vqav2';
import { captionEvaluator, captionSchema, storeAnswers, storeSchema } from './written';

const toLower = { to_lower: z.boolean().default(false).describe('compare answers in lower case') };
const outKeys = {
  out_question_key: z.string().default('question_id').describe('key of the question in what is written'),
  out_answer_key: z.string().default('answer').describe('key of the answer in what is written'),
};

/** By name: what of an example isn't for the model, further options, and what sums up. */
export const scorers: Readonly<
  Record<
    string,
    {
      readonly doc: string;
      readonly keys: readonly string[];
      readonly options: Readonly<Record<string, z.ZodType>>;
      readonly make: (options: never) => Scorer;
    }
  >
> = {
  vqa: {
    doc: 'Answers to questions: "acc" (the answer, or three of the answers), "acc_any" (one of the answers), "anls" (arXiv:1907.00490).',
    keys: ['answers', 'answer', 'question_id'],
    options: { ...toLower, ...outKeys },
    make: (options: ConstructorParameters<typeof Vqa>[0]) => new Vqa(options),
  },
  vqav2: {
    doc: 'VQAv2 (arXiv:1612.00837): "acc" by agreement with nine of ten people, and the same for each type of answer.',
    keys: ['answers', 'answer_type', 'question_type', 'question_id'],
    options: {},
    make: () => new Vqav2(),
  },
  rsvqa: {
    doc: 'RSVQA (arXiv:2003.07333): as vqa, and "acc_TYPE" for each question_type, with their means.',
    keys: ['answers', 'answer', 'question_id', 'question_type'],
    options: toLower,
    make: ({ to_lower }: { to_lower: boolean }) =>
      new Rsvqa({ to_lower, out_question_key: 'question_id', out_answer_key: 'answer' }),
  },
  chartqa: {
    doc: 'ChartQA (arXiv:2203.10244): "acc", and "relaxed_acc", where numbers may be off by 5 %.',
    keys: ['answer', 'question_id'],
    options: { ...toLower, ...outKeys },
    make: (options: ConstructorParameters<typeof ChartQa>[0]) => new ChartQa(options),
  },
  pope: {
    doc: 'POPE (arXiv:2305.10355): "acc" of yes and no, and "valid_percent".',
    keys: ['answer', 'question_id'],
    options: outKeys,
    make: (options: ConstructorParameters<typeof Pope>[0]) => new Pope(options),
  },
  tallyqa: {
    doc: 'TallyQA (arXiv:1810.12440): "acc" of counts, of simple and complex questions, and of each count up to 15.',
    keys: ['answer', 'issimple'],
    options: {},
    make: () => new TallyQa(),
  },
  science_qa: {
    doc: 'ScienceQA (arXiv:2209.09513): "acc" of the letter in "The answer is X.", and "parsefail".',
    keys: ['answer', 'question_id'],
    options: { out_question_key: outKeys.out_question_key },
    make: (options: ConstructorParameters<typeof ScienceQa>[0]) => new ScienceQa(options),
  },
};

export function registerEvaluators({ register, container }: Registrar): void {
  const inject = [tokens.runtime, tokens.input, tokens.registry] as const;
  const transfer = <Schema extends z.ZodObject>(
    name: string,
    doc: string,
    options: Schema,
    make: (
      options: z.output<Schema>,
      context: EvaluatorContext,
      services: AnswerServices,
    ) => Promise<Evaluator>,
  ) =>
    register('evaluator', `proj.paligemma.transfers.${name}`, {
      doc: `${doc} Its predict function: decode, or beam_decode.`,
      options,
      inject,
      create: (given, runtime, pipeline, registry) => (context) =>
        make(given as z.output<Schema>, context, { runtime, pipeline, registry, container }),
    });

  for (const [name, { doc, keys, options, make }] of Object.entries(scorers)) {
    // TallyQA alone writes nothing.
    const outfile = name === 'tallyqa' ? {} : { outfile: outfileOption('{workdir}/{split}.json') };
    const schema = z.strictObject({ ...answerOptions, ...outfile, ...options });
    transfer(name, doc, schema, (given, context, services) => {
      const { outfile: file = null, ...rest } = given as typeof given & { readonly outfile?: string | null };
      const { data, pp_fn, workers, tokenizer, aside_bytes, ...own } = rest;
      const common = { data, pp_fn, workers, tokenizer, aside_bytes, outfile: file };
      return scored(common, context, services, keys, () => make(own as never));
    });
  }
  transfer(
    'segmentation',
    'Referring segmentation: "miou" of masks, "boxacc/0.5" and "boxacc/0.75" of boxes.',
    segmentationSchema,
    segmentation,
  );
  transfer(
    'coco_caption',
    'Captions (arXiv:1504.00325): "cider", and "bleu-4" and "rouge" if named, against `captions`.',
    captionSchema,
    captionEvaluator,
  );
  transfer('storepreds', 'Writes answers and the ids of their examples.', storeSchema, storeAnswers);

  register('evaluator', 'proj.paligemma.perplexity', {
    doc: 'How many nats a text takes that is given: "sum", and "avg" for each word that `mask_loss` counts. Its predict function: logits.',
    options: z.strictObject({
      ...passOptions,
      key: z.string().default('labels').describe('key of the words'),
      shift_labels: z.boolean().default(false).describe('logits are of all words but the first'),
      pad_token: z.int().nullable().default(null).describe("a word that doesn't count"),
    }),
    inject: [tokens.runtime, tokens.input],
    create:
      ({ key, shift_labels, pad_token, ...options }, runtime, pipeline) =>
      (context) =>
        meanOfExamples(options, context, { runtime, pipeline }, (params, batch) =>
          perplexities(onlyOutput(context.name, context.predict(params, batch)), batch, {
            key,
            shift_labels,
            pad_token,
          }),
        ),
  });
}

/** Of each text: "sum" and "avg", [batch]. Traced. */
export function perplexities(
  logits: tf.Tensor,
  batch: Readonly<Record<string, tf.Tensor>>,
  { key, shift_labels, pad_token }: { key: string; shift_labels: boolean; pad_token: number | null },
): Record<'sum' | 'avg', tf.Tensor> {
  const words = tf.cast(batch[key]!, 'int32');
  const counted = batch.mask_loss
    ? tf.cast(batch.mask_loss, 'float32')
    : tf.onesLike(tf.cast(words, 'float32'));
  const notPadding = (pad: number) => tf.cast(tf.notEqual(words, tf.scalar(pad, 'int32')), 'float32');
  const all = pad_token === null ? counted : tf.mul(counted, notPadding(pad_token));
  const [examples, length] = words.shape as [number, number];
  const last = (x: tf.Tensor) => (shift_labels ? tf.slice(x, [0, 1], [examples, length - 1]) : x);
  const weights = last(all);
  const xent = weightedSoftmaxXent({ label_smoothing: 0, normalize: false });
  const sum = xent({ logits, labels: last(words), weights }, { reduction: false });
  return { sum, avg: tf.div(sum, tf.maximum(tf.sum(weights, 1), 2e-38)) };
}
