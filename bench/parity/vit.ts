// The run that is compared: 200 steps of a small ViT on handwritten digits, everything recorded on the way.

import type { ConfigInput } from '../../core/config/schema';

export default function config(folder: string): ConfigInput {
  const pp = "value_range(-1, 1)|onehot(10)|keep('image', 'labels')";
  return {
    input: {
      data: { name: 'mnist', split: 'train' },
      pp: `decode|pad_to_shape((32, 32, 1), key='image', where='both')|random_crop(28)|${pp}`,
      batch_size: 128,
    },
    total_steps: 200,
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
    schedule: { decay_type: 'cosine', warmup_steps: 20 },
    log_training_steps: 1,
    evals: {
      test: {
        type: 'classification',
        data: { name: 'mnist', split: 'test' },
        pp_fn: `decode|${pp}`,
        loss_name: 'softmax_xent',
        log_steps: 50,
      },
    },
    record: { folder },
  };
}
