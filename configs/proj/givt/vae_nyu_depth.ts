// GIVT (arXiv:2312.02116), stage I for depth: a VAE of depth maps.
//
//   bv train --config configs/proj/givt/vae_nyu_depth.ts:singlehost --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { binned, crop, flip, name, range, sizes, vae } from './depth';
import { training } from './vae';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, runlocal, singlehost } = parseArg(text, {
    res: 512,
    patch_size: 16,
    runlocal: false,
    singlehost: false,
  });
  const labels = `${sizes(res)}|${binned}|value_range(-1, 1)|copy("labels", "image")`;
  const split = runlocal ? 'validation[:16]' : 'validation';
  return {
    seed: 0,
    total_epochs: singlehost ? 50 : 200,
    input: {
      data: { name, split: 'train' },
      pp: `decode|nyu_depth|${flip}|${crop}|${labels}|keep("image")`,
      batch_size: singlehost ? 128 : runlocal ? 16 : 1024,
    },
    log_training_steps: runlocal ? 5 : 50,
    ckpt_steps: 1000,

    model_name: 'proj.givt.vit',
    model: {
      ...vae(res, patch_size),
      ...(runlocal && { enc_depth: 1, dec_depth: 1 }),
      scan: true,
      remat_policy: 'nothing_saveable',
    },
    givt: { stage: 1, rec_loss_fn: 'xent', mask_zero_target: true, beta: 2e-4, ...range },

    ...training,

    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: { name, split },
        pp_fn: `decode|nyu_depth|nyu_eval_crop|${labels}|keep("image")`,
        log_steps: runlocal ? 20 : 250,
      },
      nyu_depth_val: {
        type: 'proj.givt.nyu_depth',
        data: { name, split },
        pp_fn: `decode|nyu_depth|nyu_eval_crop|copy("labels","ground_truth")|${labels}|keep("image", "ground_truth")`,
        pred: 'predict_depth',
        log_steps: 2000,
        ...range,
      },
    },
  };
}
