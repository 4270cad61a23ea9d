// GIVT (arXiv:2312.02116), stage I: a VAE of the depth of made-up pictures.
//
//   bv train --config configs/proj/givt/shapes_vae_depth.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts, range } from '../uvim/shapes_depth';

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 300 });
  const bins = `bin_nyu_depth(min_depth=${range.min_depth}, max_depth=${range.max_depth}, num_bins=${parts.depth})`;
  const labelled = (flips: string, ...kept: readonly string[]) =>
    `copy("depth", "labels")|${flips}${bins}|value_range(-1, 1)|copy("labels", "image")|keep("image"${kept.map((key) => `, "${key}"`).join('')})`;
  const held = { pred: 'predict_depth', pp_fn: labelled('copy("labels", "ground_truth")|', 'ground_truth') };
  return {
    header: {
      command: 'npx bv train --config configs/proj/givt/shapes_vae_depth.ts',
      hardware: '2 CPU cores',
      minutes: 2,
      expect: { 'depth/delta1': 0.62 },
      paper: 'arXiv:2312.02116',
    },
    total_steps: steps,
    input: { ...input, pp: labelled('randu("fliplr")|det_fliplr(key="labels")|') },
    log_training_steps: 20,

    model_name: 'proj.givt.vit',
    model: {
      input_size: [layout.size, layout.size],
      patch_size: [layout.patch, layout.patch],
      code_len: 16,
      codeword_dim: 8,
      width: 96,
      enc_depth: 1,
      dec_depth: 2,
      mlp_dim: 192,
      num_heads: 4,
      code_dropout: 'none',
      bottleneck_resize: true,
      inout_specs: { depth: [0, parts.depth] },
    },
    givt: { stage: 1, rec_loss_fn: 'xent', beta: 2e-4, ...range },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 3e-3,
    wd: 1e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    evals: { depth: { ...evals.depth, ...held, type: 'proj.givt.nyu_depth' } },
  };
}
