// A DeiT-3 ViT into a FlexiViT on ImageNet-1k (arXiv:2212.08013, section 4): the student begins as the teacher, which sees its
// own 384 pixels. The values are those of the original's config.
//
//   bv train --config configs/proj/flexivit/i1k_deit3_distill.ts:variant=S --workdir DIR --config.total_epochs=90 \
//     --config.model_init=./FILE.npz --config.distill.teachers.prof.model_init=./FILE.npz

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { classify } from '../../common';
import { adam, ateach, distanceAt, distillation, flexi, two } from './common';

export default function config(text = ''): ConfigInput {
  const { runlocal, res, variant } = parseArg(text, { runlocal: false, res: 240, variant: 'B' });
  const model = { variant, pool_type: 'tok', patch_size: [16, 16] };
  const label = (key: string) =>
    `onehot(1000, key="${key}", key_result="labels")|keep("image", "prof", "labels")`;
  const [larger, largest] = [Math.floor(res / 7) * 8, Math.floor(384 / 7) * 8];
  const pp = {
    student: `decode|resize(${larger})|central_crop(${res})|value_range(-1, 1)`,
    prof: `decode|resize(${largest})|central_crop(384)|value_range(outkey="prof")`,
    both:
      `decode|copy("image", "prof")|resize(${larger})|central_crop(${res})|value_range` +
      `|resize(${largest}, key="prof")|central_crop(384, key="prof")|value_range(key="prof")|keep("image", "prof")`,
  };
  const split = (name: string, part = '') => `${name}${runlocal ? '[:16]' : part}`;
  const [minitrain, minival] = [split('train', '[:2%]'), split('train', '[99%:]')];
  const [val, test] = [split('validation'), split('test')];
  const accuracy = (name: string, split: string, pp_fn: string) =>
    classify(name, split, { pp_fn, loss_name: 'sigmoid_xent' });
  /** On all data sets, with names that end in `end`. */
  const everywhere = (begin: string, end: string, pp: string, options: object) =>
    Object.fromEntries(
      Object.entries({
        minitrain: accuracy('imagenet2012', minitrain, `${pp}|${label('label')}`),
        minival: accuracy('imagenet2012', minival, `${pp}|${label('label')}`),
        val: accuracy('imagenet2012', val, `${pp}|${label('label')}`),
        v2: accuracy('imagenet_v2', test, `${pp}|${label('label')}`),
        a: accuracy('imagenet_a', test, `${pp}|${label('label')}`),
        r: accuracy('imagenet_r', test, `${pp}|${label('label')}`),
        real: accuracy('imagenet2012_real', val, `${pp}|${label('real_label')}`),
      }).map(([name, entry]) => [`${begin}${name}${end}`, { ...entry, ...options }]),
    );

  return {
    seed: 0,
    total_epochs: 90,
    num_classes: 1000,
    loss: 'softmax_xent',

    input: {
      data: { name: 'imagenet2012', split: 'train[:99%]' },
      pp:
        `decode|inception_crop|flip_lr|copy("image", "prof")|resize(${res})|value_range` +
        `|resize(384, key="prof")|value_range(key="prof")|${label('label')}`,
      batch_size: runlocal ? 8 : 1024,
    },

    model_name: 'proj.flexi.vit',
    model,
    flexi,
    ...adam,
    ...distillation(model, `deit3_${variant}_384_1k`),

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: {
      ...ateach((size) => ({
        ...everywhere('student_', `_${two(size)}`, pp.student, {
          pred: `student_seqhw=${size}`,
          log_percent: 0.05,
        }),
        [`dist_minitrain_${two(size)}`]: distanceAt(size, minitrain, pp.both),
        [`dist_val_${two(size)}`]: distanceAt(size, val, pp.both),
      })),
      ...everywhere('teacher_', '', pp.prof, { pred: 'prof', log_percent: 0.5 }),
    },
  };
}
