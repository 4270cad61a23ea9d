// ViT on ImageNet-21k as in "How to train your ViT?" (arXiv:2106.10270), without dropout and stochastic depth.
//
//   bv train --config configs/vit_i21k.ts:variant=B/16 --workdir DIR

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { augmentation, choose, imagenet21kEvals } from './common';
import { fewshotLsr } from './common_fewshot';

const usual = {
  'Ti/16': 'none',
  'S/32': 'none',
  'S/16': 'light1',
  'B/32': 'light2',
  'B/16': 'light2',
  'L/16': 'medium2',
};

export default function config(text = ''): ConfigInput {
  const { variant, runlocal } = parseArg(text, { variant: 'B/16', runlocal: false });
  const { randaug, mixup } = augmentation(choose('variant', variant, usual));
  const loss = 'sigmoid_xent';
  const common = 'value_range(-1, 1)|onehot(21843)|keep("image", "labels")';

  return {
    seed: 0,
    total_epochs: 300,
    num_classes: 21_843,
    init_head_bias: -10,
    loss,

    input: {
      data: { name: 'imagenet21k', split: 'full[51200:]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${randaug}${common}`,
      batch_size: runlocal ? 8 : 4096,
      prefetch: 8,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'vit',
    model: { variant, pool_type: 'gap', posemb: 'learn' },

    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16' },
    grad_clip_norm: 1,
    lr: 0.001,
    wd: 0.0001,
    schedule: { warmup_steps: 10_000, decay_type: 'cosine' },
    mixup: { p: mixup },

    evals: {
      ...imagenet21kEvals({
        pp_fn: `decode|resize_small(256)|central_crop(224)|${common}`,
        loss_name: loss,
        few: runlocal,
      }),
      fewshot: fewshotLsr({ runlocal }),
    },
  };
}
