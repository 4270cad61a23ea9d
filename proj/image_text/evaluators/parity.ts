// Runs recorded cases of the evaluators of image-text models.

import { type HostArray, hostArray } from '../../../core/array';
import type { Batch, PredictFn } from '../../../core/extensions';
import type { ParityRunner } from '../../../core/parity/case';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import { rowsOf } from '../../../plugins/evaluators';
import { bidirectionalContrastiveLoss } from '../../../plugins/losses';
import { tower } from './embed';
import { canonicalizeText, classNames, promptsOf, promptTemplates } from './prompts';
import { recallsOfDistances } from './recall';
import { averageEmbeddings, correctCounter, zeroshotAccuracy } from './zeroshot';

type Named = readonly [name: string, array: HostArray];
const engineering = 'evaluator proj/image_text/prompt_engineering';
const classifier = 'evaluator proj/image_text/discriminative_classifier';
const lines = (result: readonly string[]) => new Map([['result', result.join('\n')]]);
const scalar = (value: number, dtype: 'float32' | 'int32' = 'float32') => hostArray(dtype, [], [value]);
const input = (inputs: ReadonlyMap<string, HostArray>, name: string) => inputs.get(name) as HostArray;

export const evaluatorRunners: Readonly<Record<string, ParityRunner>> = {
  [`${engineering}:canonicalize_text`]: async ({ args }) => {
    const calls = args.calls as { text: string; keep_punctuation_exact_string?: string | null }[];
    return lines(calls.map((call) => canonicalizeText(call.text, call.keep_punctuation_exact_string)));
  },

  [`${engineering}:get_class_names`]: async ({ args }) => {
    const { dataset_name, source, canonicalize } = args as {
      dataset_name: string;
      source: string | string[];
      canonicalize?: boolean;
    };
    return lines(classNames(dataset_name, source, canonicalize));
  },

  [`${engineering}:get_prompt_templates`]: async ({ args }) => {
    const { prompt_templates_name, canonicalize } = args as {
      prompt_templates_name: string;
      canonicalize?: boolean;
    };
    return lines(promptTemplates(prompt_templates_name, canonicalize));
  },

  [`${classifier}:_average_embeddings`]: async ({ args, inputs }) => {
    const { num_classes, normalize } = args as { num_classes: number; normalize: boolean };
    const { data } = input(inputs, 'labels');
    const output = averageEmbeddings(input(inputs, 'embeddings'), data, num_classes, { normalize });
    return new Map([['output', output]]);
  },

  [`${classifier}:prepare_datasets`]: async ({ args }) => {
    const {
      class_names,
      prompt_templates,
      class_name_offset = 0,
    } = args as {
      class_names: string[];
      prompt_templates: string[];
      class_name_offset?: number;
    };
    const prompts = promptsOf(class_names, prompt_templates);
    const labels = prompts.map(({ label }) => label + class_name_offset);
    return new Map<string, HostArray | string>([
      ['label', hostArray('int32', [labels.length], labels)],
      ['texts', prompts.map(({ texts }) => texts).join('\n')],
    ]);
  },

  [classifier]: async ({ args, inputs }, { runtime, container, serve }) => {
    const { batch_size, num_classes: classes } = args as { batch_size: number; num_classes: number };
    const pipeline = container.get(tokens.input);
    const open = (named: readonly Named[]) =>
      pipeline.evaluate({ data: serve(new Map(named)), pp: '', batch_size });
    const images = await open([
      ['image', input(inputs, 'zimg')],
      ['label', input(inputs, 'label')],
    ]);
    const texts = await open([
      ['labels', input(inputs, 'ztxt')],
      ['label', input(inputs, 'text_label')],
    ]);
    const identity: PredictFn = (_, { image, labels }) => ({ output: [image, labels], out: {} });
    const programs = {
      texts: tower(runtime, identity, 'texts', 'parity'),
      count: correctCounter(runtime, identity, 'parity'),
    };
    const result = await zeroshotAccuracy(runtime, programs, {}, { images, texts, classes });
    return new Map<string, HostArray>([
      ['accuracy', scalar(result.accuracy)],
      ['correct', scalar(result.correct, 'int32')],
      ['count', scalar(result.count, 'int32')],
      ['average_embedding', result.average_embedding],
    ]);
  },

  'evaluator proj/image_text/image_text_retrieval': async ({ inputs }, { runtime }) => {
    const imageOf = input(inputs, 'text_image_correspondence');
    const found = await recallsOfDistances(runtime, input(inputs, 'dist_matrix'), imageOf);
    return new Map(
      Object.entries(found).flatMap(([direction, recalls]) =>
        Object.entries(recalls).map(([name, value]) => [`${direction}/${name}`, scalar(value)] as const),
      ),
    );
  },

  // Not by way of the pipeline, which masks at the end alone: here any pair of a batch may be masked.
  'evaluator proj/image_text/contrastive': async ({ args, inputs }, { runtime }) => {
    const batch_size = args.batch_size as number;
    const f = ({ zimg, ztxt, t, mask }: Batch) => {
      const pairs = { zimg, ztxt, t, mask } as Parameters<typeof bidirectionalContrastiveLoss>[0];
      const { loss, ncorrect } = bidirectionalContrastiveLoss(pairs);
      return [loss, ncorrect].map((x) => tf.sum(tf.mul(x as tf.Tensor, mask as tf.Tensor)));
    };
    const step = runtime.jit(f, { name: 'parity contrastive' });
    const mask = input(inputs, '_mask');
    const pairs = mask.data.length;
    let [loss, ncorrect, count] = [0, 0, 0];
    for (let start = 0; start < pairs; start += batch_size) {
      const rows = Array.from({ length: batch_size }, (_, i) => start + i);
      const part = (name: string) => runtime.toDevice(rowsOf(input(inputs, name), rows));
      const batch = { zimg: part('zimg'), ztxt: part('ztxt'), mask: part('_mask'), t: runtime.toDevice(input(inputs, 't')) }; // prettier-ignore
      const sums = await Promise.all(step(batch).map((x) => runtime.toHost(x)));
      loss += sums[0]?.data[0] as number;
      ncorrect += sums[1]?.data[0] as number;
      count += rows.reduce((sum, row) => sum + (mask.data[row] as number), 0);
    }
    return new Map([
      ['ncorrect_minibatch', scalar(ncorrect / count)],
      ['loss', scalar(loss / count)],
    ]);
  },
};
