// Training runs recorded from the original's trainer for distillation; what stands beside them in checkpoints and evaluators.

import * as path from 'node:path';
import type { Batch, PredictFn } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { XlaRuntime } from '../../../plugins/xla';
import distill from '../../../proj/distill';
import { predictFns } from '../../../proj/distill/predict';
import { newestContent } from '../../support/checkpoints';
import { expectCase, folderOf, type GoldenCase, goldenCases, readCase } from '../../support/golden';
import { distillAsOurs } from '../../support/original-distill';
import { useEagerCpu } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';
import { trainCase } from '../../support/train';

const folders = goldenCases(({ name }) => name === 'trainers/proj/distill/distill').map(
  ({ folder }) => folder,
);

/** A case with its config in our form. */
function asOurs(golden: GoldenCase): GoldenCase {
  const { distill: project, ...stock } = distillAsOurs(golden.args.config as Record<string, unknown>);
  const { teachers, ...options } = project as { teachers: Record<string, { model_init: string }> };
  const found = Object.entries(teachers).map(([name, { model_init, ...teacher }]) => {
    return [name, { ...teacher, model_init: path.join(folderOf(golden.folder), model_init) }] as const;
  });
  const distill = { ...options, teachers: Object.fromEntries(found) };
  return { ...golden, args: { config: { ...stock, distill, ckpt_steps: stock.total_steps } } };
}

const runOn = async (devices: number, use: (runtime: XlaRuntime) => Promise<unknown>) => {
  const runtime = await XlaRuntime.create({ platform: 'cpu', devices });
  try {
    await use(runtime);
  } finally {
    runtime.dispose();
  }
};

test.each<[string, number]>([
  ...folders.map((folder): [string, number] => [folder, 1]),
  [folders[0] as string, 4],
])('%s on %d devices', async (folder, devices) => {
  const golden = asOurs(await readCase(folder));
  const workdir = temporaryFolder();
  await runOn(devices, async (runtime) => expectCase(await trainCase(runtime, golden, { workdir }), golden));

  const { arrays } = await newestContent(workdir);
  const parts = new Set(arrays.map(([name]) => name.split('/')[0]));
  expect([...parts].sort()).toEqual(['opt', 'params', 'step']);
});

describe('predict functions', () => {
  useEagerCpu();
  const logits =
    (...values: number[]): PredictFn =>
    (_, { image }: Batch) => {
      const output = tf.mul(tf.tensor(values, [1, values.length]), image as tf.Tensor);
      return { output, out: { logits: output } };
    };
  const teacher =
    (...values: number[]) =>
    (batch: Batch) =>
      logits(...values)({}, batch);
  const batch = () => ({ image: tf.tensor([2], [1, 1]) });

  test('have the names of the original: of its distillation, and of that of FlexiViT', () => {
    const fns = { predict: logits(1), loss: logits(9), 'predict_seqhw=3': logits(2) };
    expect(Object.keys(predictFns(fns, { prof: teacher(3) })).sort()).toEqual(
      [
        ...[
          'student_fwd',
          'prof_fwd',
          'student_prof_fwd',
          'teacher_ensemble_fwd',
          'student_teacher_ensemble_fwd',
        ],
        ...[
          'student_seqhw=3',
          'prof',
          'student_seqhw=3_prof',
          'teacher_ensemble',
          'student_seqhw=3_teacher_ensemble',
        ],
      ].sort(),
    );
  });

  test('the ensemble gives the mean of probabilities', () => {
    const { teacher_ensemble_fwd } = predictFns(
      { predict: logits(0, 0) },
      { a: teacher(Math.log(3) / 2, 0), b: teacher(0, 0) },
    );
    const { output } = (teacher_ensemble_fwd as PredictFn)({}, batch());
    expect([...tf.softmax(output as tf.Tensor).dataSync()]).toEqual([
      expect.closeTo(0.625, 5),
      expect.closeTo(0.375, 5),
    ]);
  });
});

test('a teacher needs a checkpoint, and training needs a distance that has a gradient', () => {
  const model = { model_name: 'vit' };
  expect(() => distill.options?.parse({ teachers: { prof: model } })).toThrow(/model_init/);
  const prof = { ...model, model_init: './teacher.npz' };
  expect(() => distill.options?.parse({ teachers: { prof }, distance: 'agree' })).toThrow(/distance/);
  expect(() => distill.options?.parse({ teachers: {} })).toThrow(/teacher/);
});
