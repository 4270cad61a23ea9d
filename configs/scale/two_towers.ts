// Image and text towers with SigLIP's loss (arXiv:2303.15343), with zeros for data: to compile ahead of time
// (docs/scale.md).
//
//   bv compile configs/scale/two_towers.ts:batch_size=32768 --topology v4-512

import { parseArg } from '../../core/config/args';
import type { ConfigInput } from '../../core/config/schema';

export default function config(text = ''): ConfigInput {
  const { image, txt, res, batch_size, scan, sharding } = parseArg(text, {
    image: 'B/16',
    txt: 'B',
    res: 224,
    batch_size: 32_768,
    scan: true,
    sharding: 'replicate',
  });
  const width = 768;
  return {
    input: {
      data: {
        name: 'zeros',
        features: {
          image: { dtype: 'float32', shape: [res, res, 3] },
          labels: { dtype: 'int32', shape: [64] },
        },
        count: 1_000_000_000,
      },
      batch_size,
    },
    total_examples: 9_000_000_000,

    model_name: 'proj.image_text.two_towers',
    model: {
      image_model: 'vit',
      image: { variant: image, pool_type: 'map', scan, dtype_mm: 'bfloat16' },
      text: { variant: txt, vocab_size: 32_000, scan },
      out_dim: width,
      temperature_init: 10,
      bias_init: -10,
    },
    image_text: { loss: 'sigmoid' },
    sharding_strategy: [['.*', sharding]],

    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16', b2: 0.95 },
    lr: 1e-3,
    wd: 1e-4,
    schedule: { decay_type: 'rsqrt', timescale: 10_000, warmup_steps: 50_000, cooldown_steps: 50_000 },

    log_training_steps: 50,
  };
}
