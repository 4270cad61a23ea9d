// ViT on ImageNet-1k with GSAM and no augmentation beyond crops and flips, after section 5 of arXiv:2203.08065; the values
// are those of the original's config of the same name. Its few-shot evaluation is left out: its trainer doesn't look there.
//
//   bv train --config configs/proj/gsam/vit_i1k_gsam_no_aug.ts:variant=B/32 --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { finish, imagenetEvals } from '../../common';

const lr = 0.003;
const linear_end = 0.01;
const loss = 'sigmoid_xent';

export default function config(text = ''): ConfigInput {
  const { variant, runlocal } = parseArg(text, { variant: 'B/32', runlocal: false });
  return {
    input: {
      data: { name: 'imagenet2012', split: 'train[:99%]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${finish(1000)}`,
      batch_size: runlocal ? 8 : 4096,
      prefetch: 8,
    },
    total_epochs: 300,

    num_classes: 1000,
    model_name: 'vit',
    model: { variant, rep_size: false, pool_type: 'gap' },
    init_head_bias: -10,

    loss,
    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'float32' },
    lr,
    // The paper's decay of 0.3 is multiplied by the learning rate; this one is not.
    wd: 0.001,
    schedule: { warmup_steps: 10_000, decay_type: 'linear', linear_end },

    gsam: { rho_max: 0.6, rho_min: 0.1, alpha: 0.6, lr_max: lr, lr_min: linear_end * lr },

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: imagenetEvals({
      pp: (label) => `decode|resize_small(256)|central_crop(224)|${finish(1000, label)}`,
      loss_name: loss,
      log_steps: 2500,
      few: runlocal,
    }),
  };
}
