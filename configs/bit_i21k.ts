// BiT-ResNet-50x1 on ImageNet-21k (arXiv:1912.11370).
//
//   bv train --config configs/bit_i21k.ts --workdir DIR

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { imagenet21kEvals } from './common';
import { fewshotLsr } from './common_fewshot';

const batch_size = 4096;

export default function config(text = ''): ConfigInput {
  parseArg(text, {});
  const loss = 'sigmoid_xent';
  const common = 'value_range(-1, 1)|onehot(21843)|keep("image", "labels")';

  return {
    seed: 0,
    total_epochs: 90,
    num_classes: 21_843,
    init_head_bias: -10,
    loss,

    input: {
      data: { name: 'imagenet21k', split: 'full[51200:]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${common}`,
      batch_size,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'bit_paper',
    model: { depth: 50, width: 1 },

    optax_name: 'big_vision.momentum_hp',
    grad_clip_norm: 1,
    lr: (0.03 / 256) * batch_size,
    wd: (3e-5 / 256) * batch_size,
    schedule: { decay_type: 'cosine', warmup_steps: 5000 },

    evals: {
      ...imagenet21kEvals({
        pp_fn: `decode|resize_small(256)|central_crop(224)|${common}`,
        loss_name: loss,
      }),
      fewshot: fewshotLsr(),
    },
  };
}
