// A ViT of 4 x 4 patches of digits into a FlexiViT of the same size, which begins as its teacher (arXiv:2212.08013, section 4).
// With `random` it begins from nothing.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';
import vitMnistFlexi from './vit_mnist_flexi';

export default function config(text = ''): ConfigInput {
  const { epochs, random, teacher } = parseArg(text, {
    epochs: 5,
    random: false,
    teacher: 'proj/distill/digits_teacher.npz',
  });
  const { model } = vitMnist();
  const { header: _, evals, ...rest } = vitMnistFlexi(`epochs=${epochs}`);
  return {
    ...rest,
    header: {
      command: 'npx bv train --config configs/proj/flexivit/vit_mnist_flexi_distill.ts',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 4,
      expect: random ? undefined : { 'test_4/prec@1': 0.94, 'test_7/prec@1': 0.88 },
      paper: 'arXiv:2212.08013',
    },
    model: { ...model, posemb_size: [4, 4] },
    ...(!random && { model_init: teacher, lr: 1e-3 }),
    distill: {
      teachers: { prof: { model_name: 'vit', model, model_init: teacher } },
      distance: 'kl',
      distance_kw: { t: 1 },
    },
    evals: {
      ...evals,
      teacher: { ...evals?.test_4, pred: 'prof_fwd', log_epochs: undefined, skip_first: false },
    },
  };
}
