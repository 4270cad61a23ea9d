// GIVT (arXiv:2312.02116), stage I for panoptic segmentation: a VAE of label maps.
//
//   bv train --config configs/proj/givt/vae_coco_panoptic.ts:singlehost --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { moved, name, quality, sizes, start, vae } from './panoptic';
import { training } from './vae';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, runlocal, singlehost } = parseArg(text, {
    res: 512,
    patch_size: 16,
    runlocal: false,
    singlehost: false,
  });
  const labels = `${sizes(res)}|value_range(-1, 1)|make_canonical|copy("labels","image")`;
  const pp_fn = `${start}|${labels}|keep("image", "image/id")`;
  return {
    seed: 0,
    total_epochs: singlehost ? 100 : 500,
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `${start}|${moved}|${labels}|keep("image")`,
      batch_size: singlehost ? 128 : runlocal ? 16 : 1024,
    },
    log_training_steps: runlocal ? 5 : 50,
    ckpt_steps: 1000,

    model_name: 'proj.givt.vit',
    model: {
      ...vae(res, patch_size, 32),
      ...(runlocal && { enc_depth: 1, dec_depth: 1 }),
      scan: true,
      remat_policy: 'nothing_saveable',
    },
    givt: { stage: 1, rec_loss_fn: 'xent', beta: 2.5e-4 },

    ...training,

    evals: {
      val: { type: 'mean', pred: 'validation', data: { name, split: 'train[:4096]' }, pp_fn, log_steps: 250 },
      ...quality({ pp_fn, log_steps: 5000, pred: 'predict_panoptic' }),
      save_pred: {
        type: 'proj.givt.save_predictions',
        pp_fn,
        log_steps: 100_000,
        pred: 'predict_panoptic',
        data: { name, split: 'validation[:1024]' },
        outfile: 'inference.npz',
      },
    },
  };
}
