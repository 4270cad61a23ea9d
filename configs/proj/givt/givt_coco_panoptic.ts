// GIVT (arXiv:2312.02116), stage II for panoptic segmentation: the tokens of the VAE's label map from the image.
//
//   bv train --config configs/proj/givt/givt_coco_panoptic.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import depth from './givt_nyu_depth';
import { moved, name, quality, sizes, start, vae } from './panoptic';

const res = 512;
const labels = `${sizes(res)}|value_range(-1, 1)|make_canonical|copy("image", "cond_image")|copy("labels", "image")|keep("image", "cond_image")`;

export default function config(text = ''): ConfigInput {
  parseArg(text, {});
  const { givt, ...rest } = depth();
  const { min_depth: _, max_depth: __, ...stage2 } = givt as Record<string, object>;
  const pp_fn = `${start}|${labels}`;
  const pp_predict = `decode|resize(${res})|value_range(-1, 1)|copy("image", "cond_image")|keep("cond_image", "image/id")`;
  const predict = { pp_fn: pp_predict, log_steps: 10_000, pred: 'sample_panoptic' };
  return {
    ...rest,
    total_epochs: 200,
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `${start}|${moved}|${labels}`,
      batch_size: 512,
    },
    givt: {
      ...stage2,
      vae: {
        model_name: 'proj.givt.vit',
        model: vae(res, 16, 16),
        model_init: 'gs://big_vision/givt/vae_coco_panoptic_params.npz',
      },
      ar_generation_config: { ...stage2.ar_generation_config, temp: 0.85, beam_size: 4 },
    },
    schedule: { decay_type: 'cosine', warmup_steps: 4000 },
    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: { name, split: 'train[:4096]' },
        pp_fn,
        log_steps: 1000,
      },
      ...quality(predict),
      save_pred: {
        type: 'proj.givt.save_predictions',
        pred: 'sample_panoptic',
        pp_fn,
        log_steps: 100_000,
        data: { name, split: 'validation[:1024]' },
        outfile: 'inference.npz',
      },
    },
  };
}
