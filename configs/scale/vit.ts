// ViTs of any size on ImageNet's shapes, with zeros for data: to compile ahead of time and to profile (docs/scale.md).
//
//   bv compile configs/scale/vit.ts:variant=S/16,batch_size=1024 --topology v5e:2x4

import { parseArg } from '../../core/config/args';
import type { ConfigInput } from '../../core/config/schema';

export default function config(text = ''): ConfigInput {
  const { variant, res, batch_size, dtype, scan, remat, sharding } = parseArg(text, {
    variant: 'S/16',
    res: 224,
    batch_size: 1024,
    dtype: 'bfloat16',
    scan: false,
    remat: 'nothing_saveable',
    sharding: 'replicate',
  });
  return {
    input: {
      data: {
        name: 'zeros',
        features: {
          image: { dtype: 'float32', shape: [res, res, 3] },
          labels: { dtype: 'float32', shape: [1000] },
        },
      },
      batch_size,
    },
    total_epochs: 90,

    num_classes: 1000,
    model_name: 'vit',
    model: {
      variant,
      rep_size: true,
      pool_type: 'gap',
      posemb: 'sincos2d',
      dtype_mm: dtype,
      scan,
      ...(scan && { remat_policy: remat }),
    },
    sharding_strategy: [['.*', sharding]],

    loss: 'softmax_xent',
    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16' },
    lr: 1e-3,
    wd: 1e-4,
    schedule: { decay_type: 'cosine', warmup_steps: 10_000 },

    log_training_steps: 50,
  };
}
