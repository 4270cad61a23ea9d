// UViM (arXiv:2205.10337), stage II for panoptic segmentation: the original expects 43.7 PQ on held-out data, and 39.4 with
// :singlehost.
//
//   bv train --config configs/proj/uvim/train_coco_panoptic_pretrained.ts:singlehost --workdir DIR \
//     --config.uvim.oracle.model_init=FILE.npz --config.model_init.encoder=FILE.npz
//
// Nothing is downloaded: the checkpoints of stage I and of the encoder have to be there.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, onThreeParts, res, stage2, stage2Args } from './common';
import { panopticParts } from './vqvae_coco_panoptic';

const name = 'coco/2017_panoptic';

export default function config(text = ''): ConfigInput {
  const { runlocal, singlehost } = parseArg(text, stage2Args);
  const start = 'decode|coco_panoptic|concat(["semantics","instances"], "labels")|';
  const end =
    `resize(${res}, inkey="image", outkey="image_ctx")|resize(${res})|resize(${res},key="labels",method="nearest")|` +
    'value_range(-1, 1, key="image_ctx")|value_range(-1, 1)|make_canonical|keep("image","image_ctx","labels")';
  return {
    ...stage2({
      parts: panopticParts,
      task: { task: 'panoptic' },
      model_init: 'gs://big_vision/uvim/panoptic_stageI_params.npz',
      // The original sets num_epochs for :singlehost, which nothing reads; this is what it means.
      total_epochs: singlehost ? 50 : 200,
    }),
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `${start}randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|inception_box|crop_box(key="image")|crop_box(key="labels")|${end}`,
      batch_size: singlehost ? 32 : runlocal ? 4 : 512,
    },
    evals: {
      val: losses({ name, split: runlocal ? 'train[:16]' : 'train[:4096]' }, start + end, 1000),
      ...onThreeParts('coco_panoptic', 'coco_panoptic', name, {
        type: 'proj.uvim.coco_panoptic',
        pp_fn: `decode|resize(${res}, inkey="image", outkey="image_ctx")|resize(${res})|value_range(-1, 1, key="image_ctx")|value_range(-1, 1)|keep("image","image_ctx","image/id")`,
        log_steps: 10_000,
      }),
    },
  };
}
