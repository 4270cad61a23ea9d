// What both stages of GIVT share for panoptic segmentation (COCO): classes and numbers of objects of pixels.

import { flip, crop, sizes, vae as vaeOfDepth } from './depth';

export const name = 'coco/2017_panoptic';
export const start = 'decode|coco_panoptic|concat(["semantics","instances"], "labels")';
export const moved = `${flip}|${crop}`;
export { sizes };

/** 133 classes and one for nothing; objects of an image (98 in training, 78 in validation). */
export const vae = (res: number, patch_size: number, codeword_dim: number) => ({
  ...vaeOfDepth(res, patch_size),
  codeword_dim,
  inout_specs: { semantics: [0, 133 + 1], instances: [1, 100] },
});

/** Quality on images that were trained on, on those that were held out, and on the validation set. */
export const quality = (evaluator: object) =>
  Object.fromEntries(
    Object.entries({ _train: 'train[4096:8192]', _holdout: 'train[:4096]', '': 'validation' }).map(
      ([suffix, split]) => [
        `coco_panoptic${suffix}`,
        { type: 'proj.givt.coco_panoptic', data: { name, split }, ...evaluator },
      ],
    ),
  );
