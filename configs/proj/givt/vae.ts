// How the VAEs of stage I are trained, whatever they are of.

import type { ConfigInput } from '../../../core/config/schema';

export const training = {
  optax_name: 'scale_by_adam',
  optax: { b2: 0.95 },
  grad_clip_norm: 1.0,
  lr: 1e-3,
  wd: 1e-4,
  // A tenth of a step: the original's.
  schedule: { decay_type: 'cosine', warmup_steps: 0.1 },
  sharding_strategy: [['.*', 'fsdp(axis="data")']],
  sharding_rules: [['act_batch', ['data']]],
} satisfies Partial<ConfigInput>;
