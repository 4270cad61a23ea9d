// Jet (arXiv:2412.15129): a flow for ImageNet at 64 pixels.
//
//   bv train --config configs/proj/jet/imagenet64.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const name = 'downsampled_imagenet/64x64';
const pp = 'decode|resize(64)|value_range(-1, 1)|keep("image")';

export default function config(text = ''): ConfigInput {
  const { mode } = parseArg(text, { mode: '' });
  const runlocal = mode === 'runlocal';
  const bits = (split: string) => ({
    type: 'mean',
    pred: 'loss',
    data: { name, split },
    pp_fn: pp,
    log_percent: 0.05,
  });
  return {
    seed: 0,
    ...(runlocal ? { total_steps: 200 } : { total_epochs: 200 }),
    input: { data: { name, split: 'train' }, pp, batch_size: runlocal ? 32 : 1024 },
    log_training_steps: 50,
    ckpt_steps: 5000,

    model_name: 'proj.jet.jet',
    model: {
      depth: runlocal ? 1 : 32,
      block_depth: runlocal ? 1 : 2,
      emb_dim: 512,
      num_heads: 8,
      kinds: ['channels', 'channels', 'channels', 'channels', 'spatial'],
      channels_coupling_projs: ['random'],
      spatial_coupling_projs: [
        'checkerboard',
        'checkerboard-inv',
        'vstripes',
        'vstripes-inv',
        'hstripes',
        'hstripes-inv',
      ],
    },
    jet: {},

    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'bfloat16', b2: 0.95 },
    grad_clip_norm: 1.0,
    lr: 3e-4,
    wd: 1e-5,
    wd_mults: [['.*', 1.0]],
    schedule: [
      ['.*FREEZE_ME.*', null],
      ['.*', { decay_type: 'cosine', warmup_percent: 0.1 }],
    ],

    evals: {
      minitrain_bits: bits(runlocal ? 'train[:16]' : 'train[:4096]'),
      val_bits: bits(runlocal ? 'validation[:16]' : 'validation'),
    },
  };
}
