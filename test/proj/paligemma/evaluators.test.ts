// Metrics of answers against the original's (test/golden/make_paligemma_evals.py), and evaluators in a run.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import { exampleRng } from '../../../plugins/input';
import { aside, readAside } from '../../../plugins/evaluators/aside';
import { XlaRuntime } from '../../../plugins/xla';
import { scorers } from '../../../proj/paligemma/evaluators';
import type { Truth } from '../../../proj/paligemma/evaluators/answers';
import { maskDecoder } from '../../../proj/paligemma/evaluators/mask-decoder';
import { captionWords } from '../../../proj/paligemma/evaluators/ptb';
import { refcocoMask2str } from '../../../proj/paligemma/mask2str';
import { captionMetrics } from '../../../proj/paligemma/evaluators/written';
import { temporaryFolder } from '../../support/temporary';
import { decoderArrays, wave } from './mask-weights';

interface Entry {
  readonly options: Readonly<Record<string, unknown>>;
  readonly examples: readonly (readonly [answer: string, truth: Truth])[];
  readonly metrics: Readonly<Record<string, number>>;
  readonly written: unknown;
}
interface Recorded extends Readonly<Record<string, readonly Entry[]>> {
  readonly words: never;
  readonly segmentation: never;
  readonly masks: never;
}
const file = path.resolve(__dirname, '../../golden/paligemma_evals.json');
const recorded = JSON.parse(fs.readFileSync(file, 'utf8')) as Recorded;

const close = (metrics: Iterable<readonly [string, number]>, wanted: Readonly<Record<string, number>>) => {
  const found = Object.fromEntries(metrics);
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted)) expect([name, found[name]]).toEqual([name, expect.closeTo(value, 10)]); // prettier-ignore
};

test.each(
  Object.entries(scorers).flatMap(([name, { make }]) =>
    recorded[name]!.map((entry) => [name, entry, make] as const),
  ),
)(
  // prettier-ignore
  '%s has the metrics of the original, and writes what it writes',
  (_, { options, examples, metrics, written }, make) => {
    const keys = { to_lower: false, out_question_key: 'question_id', out_answer_key: 'answer' };
    const scorer = make({ ...keys, ...options } as never);
    const lines = examples.map(([answer, truth]) => scorer.add(answer, truth));
    close(scorer.metrics(), metrics);
    if (written) expect(lines).toEqual(written);
  },
);

test('captions', () => {
  const [{ examples, metrics }] = recorded.coco_caption as unknown as [Entry];
  const captioned = examples.map(([caption, { captions }]) => ({
    caption: captionWords(caption),
    references: (captions as string[]).map(captionWords),
  }));
  const { 'bleu-4': bleus, ...others } = metrics as unknown as { 'bleu-4': number[] };
  const wanted = { ...others, ...Object.fromEntries(bleus.map((value, n) => [`bleu-${n + 1}`, value])) };
  close(
    Object.values(captionMetrics).flatMap((metric) => Object.entries(metric(captioned))),
    wanted,
  );
});

test.each(recorded.words as [string, string][])('the words of %j', (caption, words) => {
  expect(captionWords(caption).join(' ')).toBe(words);
});

test('the decoder of masks', async () => {
  const { tokens, decoded } = recorded.segmentation as { tokens: number[][]; decoded: number[][][] };
  const runtime = await XlaRuntime.create({ platform: 'cpu' });
  const file = path.join(temporaryFolder(), 'vae.npz');
  await saveNpz(file, decoderArrays());
  const codes = tokens[0]!.slice(4).map((token) => token - 1024);
  const mask = await (await maskDecoder(runtime, file))(hostArray('int32', [16], codes));
  await runtime.dispose();
  decoded[0]!.forEach((row, y) =>
    row.forEach((value, x) => expect(mask.data[9 * y * 64 + 7 * x]).toBeCloseTo(value, 4)),
  );
});

const encoder: Readonly<Record<string, readonly number[]>> = {
  'encoder.0': [6, 1, 4, 4],
  'encoder.2': [5, 6, 4, 4],
  'encoder.4': [7, 5, 4, 4],
  'encoder.6': [8, 7, 4, 4],
  ...Object.fromEntries(
    ['encoder.8.net', 'encoder.9.net'].flatMap((name) => [
      [`${name}.0`, [8, 8, 3, 3]],
      [`${name}.2`, [8, 8, 3, 3]],
      [`${name}.4`, [8, 8, 1, 1]],
    ]),
  ),
  'encoder.10': [4, 8, 1, 1],
};

test('masks as tokens', async () => {
  const arrays: Record<string, HostArray> = { '_vq_vae._embedding': wave([128, 4], 1) };
  for (const [name, shape] of Object.entries(encoder)) {
    arrays[`${name}.weight`] = wave(shape, 2 / Math.sqrt(sizeOf(shape.slice(1))));
    arrays[`${name}.bias`] = wave(shape.slice(0, 1), 0.1);
  }
  const model = path.join(temporaryFolder(), 'vae.npz');
  await saveNpz(model, arrays);
  const op = refcocoMask2str.create({ model });
  const cases = recorded.masks as { size: [number, number]; box: number[]; suffix: string }[];
  for (const { size, box, suffix } of cases) {
    const [height, width] = size;
    const inside = (_: unknown, at: number) => {
      const pixel = Math.floor(at / 3);
      return 255 * Number((7 * Math.floor(pixel / width) + 3 * (pixel % width)) % 23 < 11);
    };
    const mask = hostArray('uint8', [height, width, 3], Array.from({ length: 3 * height * width }, inside));
    const example = {
      'objects/mask': mask,
      'objects/bbox': hostArray('float32', [4], box),
      'objects/refs/sentence': 'it',
    };
    expect(await op(example, exampleRng(0, 0, 0))).toMatchObject({ prefix: 'it', suffix });
  }
  await expect(async () => refcocoMask2str.create({ model: 'oi' })({}, exampleRng(0, 0, 0))).rejects.toThrow(
    /vae-oid\.npz/,
  );
});

test('what a batch cannot hold goes beside it', async () => {
  const example = {
    image: hostArray('uint8', [2], [1, 2]),
    answers: ['a', 'ä'],
    box: hostArray('int32', [1, 2], [3, 4]),
    question_id: 5,
  };
  const op = (bytes: number) => aside.create({ keys: ['answers', 'box', 'question_id', 'missing'], bytes });
  const { image, _aside, ...rest } = await op(64)(example, exampleRng(0, 0, 0));
  expect([Object.keys(rest), image]).toEqual([[], example.image]);
  expect(readAside(_aside as HostArray)).toEqual({ answers: ['a', 'ä'], box: [[3, 4]], question_id: 5 });
  expect(() => op(16)(example, exampleRng(0, 0, 0))).toThrow(/set aside_bytes of the evaluator to 64/);
});
