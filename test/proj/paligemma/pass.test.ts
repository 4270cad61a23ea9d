// Evaluators of answers over a data set: texts beside batches, masks as large as their images, and what is written.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { PredictFn, Tokenizer } from '../../../core/extensions';
import { definePlugin } from '../../../core/plugin';
import { tokens } from '../../../core/train/run';
import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { XlaRuntime } from '../../../plugins/xla';
import paligemma from '../../../proj/paligemma';
import { register } from '../../support/pp';
import { temporaryFolder } from '../../support/temporary';
import { decoderArrays } from './mask-weights';

interface Segmented {
  readonly tokens: number[][];
  readonly boxes: number[][];
  readonly sizes: [number, number][];
  readonly metrics: Record<string, number>;
}
const file = path.resolve(__dirname, '../../golden/paligemma_evals.json');
const { segmentation } = JSON.parse(fs.readFileSync(file, 'utf8')) as { segmentation: Segmented };

/** Words are their numbers. */
const numbers: Tokenizer = {
  encode: (text) => text.split(' ').map(Number),
  decode: (ids) => ids.join(' '),
  idOf: (piece) => (piece === '<loc0000>' ? 0 : piece === '<seg000>' ? 1024 : 5),
  ...{ size: 2000, bos: 2, eos: 7, pad: 0, unknown: 5 },
};

const toy = definePlugin({
  name: 'toy',
  version: '1.0.0',
  core: '*',
  doc: 'For tests.',
  register({ register }) {
    register('tokenizer', 'numbers', { doc: '', options: z.strictObject({}), create: () => numbers });
    register('data', 'objects', {
      doc: '',
      options: z.strictObject({}),
      create: () => ({
        size: segmentation.tokens.length,
        get: (i) => {
          const [height, width] = segmentation.sizes[i]!;
          const inside = (_: unknown, at: number) =>
            Number((7 * Math.floor(at / width) + 3 * (at % width)) % 11 < 6);
          const mask = Array.from({ length: height * width }, inside);
          return {
            image: hostArray('int32', [20], segmentation.tokens[i]!),
            'objects/mask': hostArray('uint8', [height, width, 1], mask),
            'objects/bbox': hostArray('float32', [4], segmentation.boxes[i]!),
          };
        },
      }),
    });
    register('data', 'questions', {
      doc: '',
      options: z.strictObject({ split: z.string() }),
      create: () => ({
        size: 5,
        get: (i) => ({
          image: hostArray('int32', [2], [i, 7]),
          answers: [`${i} 7`, i < 2 ? `${i} 7` : 'no', `${i} 7`].slice(i === 4 ? 3 : 0),
          question_id: `q${i}`,
        }),
      }),
    });
  },
});

const session = register(pp, input as never, evaluators as never, paligemma as never, toy as never);
const { registry, container } = session;
let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
  container.provide(tokens.runtime, runtime);
});
afterAll(() => runtime.dispose());

/** Says what the image is. The evaluator's tokenizer says where answers end. */
const given: object[] = [];
const predict: PredictFn = (_, { image }, options) => {
  given.push(options ?? {});
  return { output: image!, out: {} };
};

async function evaluate(type: string, options: object, workdir?: string) {
  const all = { tokenizer: 'numbers', ...options };
  const create = registry.create(
    container,
    'evaluator',
    `proj.paligemma.transfers.${type}`,
    all,
    'evals.toy',
  );
  const evaluator = await create({ name: 'toy', predict, predictFns: {}, batch_size: 4, workdir });
  const found: Record<string, number> = {};
  for await (const [name, value] of evaluator.run({}, 0)) found[name] = value;
  return found;
}

test('segmentation', async () => {
  const model = path.join(temporaryFolder(), 'vae.npz');
  await saveNpz(model, decoderArrays());
  const found = await evaluate('segmentation', { data: { name: 'objects' }, model });
  for (const [name, value] of Object.entries(segmentation.metrics)) expect(found[name]).toBeCloseTo(value, 4);
  expect(given.at(-1)).toEqual({ eos_token: 7 });
});

test('answers are scored and written, without padding', async () => {
  const workdir = temporaryFolder();
  const data = { name: 'questions', split: 'val[:5]' };
  const found = await evaluate('vqa', { data }, workdir);
  expect(found).toEqual({ acc: expect.closeTo((1 + 1 + 2 / 3 + 2 / 3) / 4), acc_any: 1, anls: 1, num: 5 });
  const written = JSON.parse(fs.readFileSync(path.join(workdir, 'val__5_.json'), 'utf8')) as object[];
  expect(written).toHaveLength(5);
  expect(written[2]).toEqual({ question_id: 'q2', answer: '2 7', gts: ['2 7', 'no', '2 7'] });
  expect(written[4]).toEqual({ question_id: 'q4', answer: '4 7' });
});
