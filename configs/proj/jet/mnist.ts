// A small Jet of handwritten digits, padded to 32 by 32 pixels.
//
//   bv train --config configs/proj/jet/mnist.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const pp = "decode|pad_to_shape((32, 32, 1), key='image', where='both')|value_range(-1, 1)|keep('image')";

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 400 });
  return {
    header: {
      command: 'npx bv train --config configs/proj/jet/mnist.ts',
      hardware: '1 CPU core',
      minutes: 3.5,
      expect: { 'test/bits': { max: 5.25 } },
      paper: 'arXiv:2412.15129',
    },
    total_steps: steps,
    input: { data: { name: 'mnist', split: 'train' }, pp, batch_size: 64 },
    log_training_steps: 20,

    model_name: 'proj.jet.jet',
    model: { depth: 8, block_depth: 1, emb_dim: 64, num_heads: 4, ps: 4 },
    jet: {},

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1.0,
    lr: 1e-3,
    wd: 1e-5,
    wd_mults: [['.*', 1.0]],
    schedule: [
      ['.*FREEZE_ME.*', null],
      ['.*', { decay_type: 'cosine', warmup_percent: 0.1 }],
    ],

    evals: {
      test: {
        type: 'mean',
        pred: 'loss',
        data: { name: 'mnist', split: 'test' },
        pp_fn: pp,
        log_steps: 200,
        skip_first: true,
      },
    },
  };
}
