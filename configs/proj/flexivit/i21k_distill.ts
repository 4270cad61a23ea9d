// A ViT-B/8 into a FlexiViT on ImageNet-21k (arXiv:2212.08013). The values are those of the original's config; its evaluations
// of ImageNet-1k through a mapping of labels are left out, since their evaluator was never released.
//
//   bv train --config configs/proj/flexivit/i21k_distill.ts --workdir DIR \
//     --config.model_init=./FILE.npz --config.distill.teachers.prof.model_init=./FILE.npz

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { classify } from '../../common';
import { adam, ateach, distanceAt, distillation, flexi, i21k, two } from './common';

const { classes, loss, parts } = i21k;

export default function config(text = ''): ConfigInput {
  const { runlocal, res } = parseArg(text, { runlocal: false, res: 240 });
  const labels = `onehot(${classes})|keep("image", "prof", "labels")`;
  const larger = Math.floor(res / 7) * 8;
  const few = (split: string) => (runlocal ? 'full[:16]' : split);
  const both =
    `decode|copy("image", "prof")|resize_small(${larger})|central_crop(${res})|value_range(-1, 1)` +
    '|resize_small(256, key="prof")|central_crop(224, key="prof")|value_range(-1, 1, key="prof")|keep("image", "prof")';
  const accuracy = (pred: string, pp: string, split: string) => ({
    ...classify('imagenet21k', few(split), { pp_fn: `${pp}|${labels}`, loss_name: loss, log_steps: 5000 }),
    pred,
  });
  const student = `decode|resize(${larger})|central_crop(${res})|value_range(-1, 1)`;
  const prof = 'decode|resize(256)|central_crop(224)|value_range(-1, 1, outkey="prof")';

  return {
    ...i21k.training(
      `decode|inception_crop|flip_lr|copy("image", "prof")|resize(${res})|value_range(-1, 1)` +
        `|resize(224, outkey="prof")|value_range(-1, 1, key="prof")|${labels}`,
      runlocal,
    ),

    model_name: 'proj.flexi.vit',
    model: { variant: 'B', pool_type: 'tok', patch_size: [8, 8] },
    flexi,
    ...adam,
    ...distillation({ variant: 'B/8', pool_type: 'tok' }, 'howto-i21k-B/8'),

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: {
      ...ateach((size) => ({
        [`student_test${two(size)}`]: accuracy(`student_seqhw=${size}`, student, parts.test),
        [`student_val${two(size)}`]: accuracy(`student_seqhw=${size}`, student, parts.val),
        [`student_minitrain${two(size)}`]: accuracy(`student_seqhw=${size}`, student, parts.train),
        [`dist_minitrain_${two(size)}`]: distanceAt(size, few(parts.train), both),
        [`dist_val_${two(size)}`]: distanceAt(size, few(parts.val), both),
      })),
      teacher_test: accuracy('prof', prof, parts.test),
      teacher_val: accuracy('prof', prof, parts.val),
      teacher_minitrain: accuracy('prof', prof, parts.train),
    },
  };
}
