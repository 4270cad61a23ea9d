// UViM (arXiv:2205.10337), stage I for panoptic segmentation: the original expects 75.7 PQ on held-out data, and 67.8 with
// :singlehost.
//
//   bv train --config configs/proj/uvim/vqvae_coco_panoptic.ts:singlehost --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, onThreeParts, stage1, stage1Args } from './common';

/** Classes with one for nothing; objects of an image (98 in training, 78 in validation). */
export const panopticParts = { semantics: 133 + 1, instances: 100 };

const name = 'coco/2017_panoptic';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, runlocal, singlehost } = parseArg(text, stage1Args);
  const start = 'decode|coco_panoptic|concat(["semantics","instances"], "labels")|';
  const end =
    `resize(${res})|resize(${res},key="labels",method="nearest")|` +
    'value_range(-1, 1)|make_canonical|keep("image","labels")';
  const pp_eval = start + end;
  return {
    ...stage1({
      parts: panopticParts,
      res,
      patch_size,
      uvim: { task: 'panoptic' },
      lr: 4e-4,
      wd: 4e-5,
      // The original sets num_epochs for :singlehost, which nothing reads; this is what it means.
      total_epochs: singlehost ? 100 : 1000,
      runlocal,
    }),
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `${start}randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|inception_box|crop_box(key="image")|crop_box(key="labels")|${end}`,
      batch_size: singlehost ? 128 : runlocal ? 16 : 1024,
    },
    evals: {
      val: losses(
        { name, split: runlocal ? 'validation[:16]' : 'train[:4096]' },
        pp_eval,
        runlocal ? 20 : 250,
      ),
      ...onThreeParts('coco_panoptic', 'coco_panoptic', name, {
        type: 'proj.uvim.coco_panoptic',
        pp_fn: pp_eval,
        log_steps: 10_000,
      }),
    },
  };
}
