// Classification by the likeliest name, on a small data set whose captioner is a table.

import { z } from 'zod';
import { hostArray } from '../../../core/array';
import type { PredictFn } from '../../../core/extensions';
import { definePlugin } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { tokens } from '../../../core/train/run';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { XlaRuntime } from '../../../plugins/xla';
import cappa from '../../../proj/cappa';
import { register } from '../../support/pp';

const classes = ['a', 'bb', 'ccc'];

const toy = definePlugin({
  name: 'toy',
  version: '1.0.0',
  core: '*',
  doc: 'For tests.',
  register({ register }) {
    register('data', 'toy', {
      doc: '',
      options: z.strictObject({ named: z.boolean().default(true) }),
      create: ({ named }) => ({
        size: 7,
        ...(named && { classes }),
        // What is in the picture is its class, but for the last.
        get: (i) => ({
          image: hostArray('int32', [], [i % 3]),
          label: hostArray('int32', [], [i === 6 ? 2 : i % 3]),
          labels: hostArray('int32', [2], [1, i % 2]),
        }),
      }),
    });
    register('pp', 'letters', {
      doc: '',
      options: z.strictObject({}),
      create: () => (example) => {
        const { length } = example.label as string;
        return { ...example, labels: hostArray('int32', [3], [1, 1, 1].fill(0, length)) };
      },
    });
  },
});

const { registry, container } = register(pp, input as never, cappa as never, toy as never);
let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
  container.provide(tokens.runtime, runtime);
});
afterAll(() => runtime.dispose());

async function evaluate(type: string, predict: PredictFn, options: object) {
  const create = registry.create(
    container,
    'evaluator',
    type,
    { data: { name: 'toy' }, ...options },
    'evals',
  );
  const evaluator = await create({ name: 'toy', predict, predictFns: {}, batch_size: 4 });
  const found: Record<string, number> = {};
  for await (const [name, value] of evaluator.run({}, 0)) found[name] = value;
  return found;
}

/** As likely as the name's length is near to what the image says. */
const likeness: PredictFn = (_, { image, _label_tokens: texts }) => {
  const lengths = tf.sum(tf.cast(texts!, 'float32'), 1);
  const wanted = tf.expandDims(tf.add(tf.cast(image!, 'float32'), 1), 1);
  return { output: tf.neg(tf.abs(tf.sub(wanted, lengths))), out: {} };
};
const scoring = 'proj.cappa.scoring_classifier';

test('the likeliest name is the class; padding of the last batch does not count', async () => {
  expect(await evaluate(scoring, likeness, { pp_txt: 'letters' })).toEqual({
    'prec@1': expect.closeTo(6 / 7),
  });
});

test('perplexity leaves padding out, and is of each word if asked for', async () => {
  const uniform: PredictFn = (_, { labels }) => ({ output: tf.fill([labels!.shape[0] as number, 2, 5], 0), out: {} }); // prettier-ignore
  // Three of seven captions have a second word.
  const whole = await evaluate('proj.cappa.perplexity', uniform, {});
  expect(whole).toEqual({ perplexity: expect.closeTo((Math.log(5) * 10) / 7) });
  const each = await evaluate('proj.cappa.perplexity', uniform, { normalize_by_seqlen: true });
  expect(each).toEqual({ perplexity: expect.closeTo(Math.log(5)) });
});

test('what is missing is said', async () => {
  const data = { name: 'toy', named: false };
  await expect(evaluate(scoring, likeness, { data, pp_txt: 'letters' })).rejects.toThrow(
    /"toy" has no names of classes/,
  );
  await expect(evaluate(scoring, likeness, { pp_txt: '' })).rejects.toThrow(/makes label of a class's name/);
});
