// BiT-R152x2 into BiT-R50x1 on ImageNet-1k (arXiv:2106.05237, figure 1): 82.8 % after 9600 epochs; patience is the point.
// The values are those of the original's config, without its evaluator of CKA, which was never released.
//
//   bv train --config configs/proj/distill/bit_i1k.ts --workdir DIR --config.total_epochs=300 \
//     --config.distill.teachers.prof_m.model_init=./R152x2_T_224.npz

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { finish } from '../../common';
import { fewshotLsr } from '../../common_fewshot';
import { adam, bitPair, pairEvals } from './common';

export default function config(text = ''): ConfigInput {
  const { runlocal } = parseArg(text, { runlocal: false });
  const of = (name: string, folder: string, part = '', label = 'label') => ({
    name,
    split: `${folder}${runlocal ? '[:16]' : part}`,
    pp_fn: `decode|resize_small(256)|central_crop(224)|${finish(1000, label)}`,
  });
  const fewshot = fewshotLsr({ runlocal, log_steps: 10_000 });

  return {
    input: {
      data: { name: 'imagenet2012', split: 'train[:98%]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${finish(1000)}`,
      batch_size: runlocal ? 8 : 4096,
    },
    num_classes: 1000,
    total_epochs: 1200,

    ...bitPair('224', 1),
    ...adam(0.03, 0.0003, 5000),

    log_training_steps: 50,
    ckpt_steps: 1000,
    keep_ckpt_steps: 20_000,
    evals: {
      ...pairEvals(
        {
          train: of('imagenet2012', 'train', '[:2%]'),
          minival: of('imagenet2012', 'train', '[99%:]'),
          val: of('imagenet2012', 'validation'),
          v2: of('imagenet_v2', 'test'),
          real: of('imagenet2012_real', 'validation', '', 'real_label'),
        },
        { log_steps: 1000, noDistance: ['real'] },
      ),
      student_fewshot: { ...fewshot, pred: 'student_fwd' },
      teacher_fewshot: { ...fewshot, pred: 'prof_m_fwd', prefix: 'z_teacher/', log_steps: 100_000 },
    },
  };
}
