// A small ViT learns from 1,000 digits and a larger ViT, patiently: the student has an eighth of the parameters of the main job's
// model, which is its teacher and knows 8,500 digits. With `alone` it learns from the labels of the 1,000 instead.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';

export default function config(text = ''): ConfigInput {
  const { epochs, images, teacher, alone } = parseArg(text, {
    epochs: 120,
    images: 1000,
    teacher: 'proj/distill/digits_teacher.npz',
    alone: false,
  });
  const { model, input, evals, ...rest } = vitMnist(`epochs=${epochs}`);
  const often = { log_epochs: undefined, log_percent: 0.2 };
  const test = { type: 'classification', pred: 'predict', ...evals?.test, ...often };
  return {
    ...rest,
    header: {
      command: 'npx bv train --config configs/proj/distill/vit_mnist_distill.ts',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 2,
      expect: { 'test/prec@1': 0.9 },
      paper: 'arXiv:2106.05237',
    },
    input: { ...input, data: { name: 'mnist', split: 'train', count: images } },
    model: { ...model, width: 32, depth: 2, mlp_dim: 64, num_heads: 2 },
    evals: { test },
    ...(!alone && {
      distill: {
        teachers: { prof: { model_name: 'vit', model, model_init: teacher } },
        distance_kw: { t: 2 },
      },
      evals: {
        test,
        teacher: { ...test, pred: 'prof_fwd', log_percent: undefined, skip_first: false },
        distance: {
          type: 'proj.distill.distance',
          pred: 'student_prof_fwd',
          data: { name: 'mnist', split: 'test' },
          pp_fn: evals?.test?.pp_fn,
          ...often,
          distances: [{ kind: 'kl' }, { kind: 'agree' }],
        },
      },
    }),
  };
}
