// ViT-S/16 on ImageNet-1k as in "Better plain ViT baselines" (arXiv:2205.01580), which reports 76.5% after 90 epochs.
//
//   bv train --config configs/vit_s16_i1k.ts --workdir DIR

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { finish, imagenetEvals } from './common';

export default function config(text = ''): ConfigInput {
  parseArg(text, {});
  const loss = 'softmax_xent';

  return {
    seed: 0,
    total_epochs: 90,
    num_classes: 1000,
    loss,

    input: {
      data: { name: 'imagenet2012', split: 'train[:99%]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|randaug(2,10)|${finish(1000)}`,
      batch_size: 1024,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'vit',
    model: { variant: 'S/16', rep_size: true, pool_type: 'gap', posemb: 'sincos2d' },

    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16' },
    lr: 0.001,
    wd: 0.0001,
    schedule: { warmup_steps: 10_000, decay_type: 'cosine' },
    mixup: { p: 0.2 },

    evals: imagenetEvals({
      pp: (label) => `decode|resize_small(256)|central_crop(224)|${finish(1000, label)}`,
      loss_name: loss,
      log_steps: 2500,
    }),
  };
}
