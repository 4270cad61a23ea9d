// BiT-ResNet-50x1 on ImageNet-1k (arXiv:1912.11370).
//
//   bv train --config configs/bit_i1k.ts --workdir DIR --config.model.depth=50 --config.model.width=1

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { imagenetEvals } from './common';

export default function config(text = ''): ConfigInput {
  const { runlocal } = parseArg(text, { runlocal: false });
  const loss = 'softmax_xent';
  const common = (label: string) =>
    `onehot(1000, key="${label}", key_result="labels")|value_range(-1, 1)|keep("image", "labels")`;
  const evals = imagenetEvals({
    pp: (label) => `decode|resize_small(256)|central_crop(224)|${common(label)}`,
    loss_name: loss,
    log_steps: 1000,
  });

  return {
    seed: 0,
    total_epochs: 90,
    num_classes: 1000,
    loss,

    input: {
      data: { name: 'imagenet2012', split: 'train[:99%]' },
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${common('label')}`,
      batch_size: runlocal ? 32 : 4096,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'bit',
    model: { depth: 50, width: 1 },

    optax_name: 'big_vision.momentum_hp',
    grad_clip_norm: 1,
    // Linear in the batch size of the whole run.
    wd: (1e-4 / 256) * 4096,
    lr: (0.1 / 256) * 4096,
    schedule: { decay_type: 'cosine', warmup_steps: 1000 },

    evals: runlocal ? { val: evals.val } : evals,
  };
}
