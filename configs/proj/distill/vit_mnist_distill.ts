// A small ViT learns digits from a larger one: the student has an eighth of the parameters of the
// main job's model, which is its teacher. With `alone` it learns from the labels instead.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';

export default function config(text = ''): ConfigInput {
  const { epochs, teacher, alone } = parseArg(text, {
    epochs: 15,
    teacher: 'proj/distill/digits_teacher.npz',
    alone: false,
  });
  const { model, evals, ...rest } = vitMnist(`epochs=${epochs}`);
  const test = { type: 'classification', pred: 'predict', ...evals?.test };
  return {
    ...rest,
    header: {
      command: 'npx bv train --config configs/proj/distill/vit_mnist_distill.ts',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 3.5,
      expect: { 'test/prec@1': 0.9 },
      paper: 'arXiv:2106.05237',
    },
    model: { ...model, width: 32, depth: 2, mlp_dim: 64, num_heads: 2 },
    evals: { test },
    ...(!alone && {
      distill: {
        teachers: { prof: { model_name: 'vit', model, model_init: teacher } },
        distance_kw: { t: 2 },
      },
      evals: {
        test,
        teacher: { ...test, pred: 'prof_fwd', log_epochs: undefined, skip_first: false },
        distance: {
          type: 'proj.distill.distance',
          pred: 'student_prof_fwd',
          data: { name: 'mnist', split: 'test' },
          pp_fn: evals?.test?.pp_fn,
          log_epochs: 3,
          distances: [{ kind: 'kl' }, { kind: 'agree' }],
        },
      },
    }),
  };
}
