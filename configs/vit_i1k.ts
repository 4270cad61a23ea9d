// ViT on ImageNet-1k as in "How to train your ViT?" (arXiv:2106.10270), without dropout and stochastic depth.
//
//   bv train --config configs/vit_i1k.ts:variant=B/32,aug=light1 --workdir DIR --config.total_epochs=300

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { augmentation, choose, finish, imagenetEvals } from './common';

/** Figure 4 of the paper: good between 30 and 300 epochs. */
const usual = {
  'Ti/16': 'light1',
  'S/32': 'medium1',
  'S/16': 'medium2',
  'B/32': 'medium2',
  'B/16': 'medium2',
  'L/16': 'medium2',
};

export default function config(text = ''): ConfigInput {
  const { variant, runlocal, aug } = parseArg(text, { variant: 'B/16', runlocal: false, aug: '' });
  const { randaug, mixup } = augmentation(aug || choose('variant', variant, usual));
  const loss = 'sigmoid_xent';

  return {
    seed: 0,
    total_epochs: 300,
    num_classes: 1000,
    loss,
    init_head_bias: -6.9,

    input: {
      data: { name: 'imagenet2012', split: 'train[:99%]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${randaug}${finish(1000)}`,
      batch_size: runlocal ? 8 : 4096,
      prefetch: 8,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'vit',
    model: { variant, rep_size: true, pool_type: 'tok' },

    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16' },
    lr: 0.001,
    wd: 0.0001,
    schedule: { warmup_steps: 10_000, decay_type: 'cosine' },
    mixup: { p: mixup },

    evals: imagenetEvals({
      pp: (label) => `decode|resize_small(256)|central_crop(224)|${finish(1000, label)}`,
      loss_name: loss,
      log_steps: 2500,
      few: runlocal,
    }),
  };
}
