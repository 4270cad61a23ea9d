// UViM (arXiv:2205.10337), stage I for colourisation of ImageNet.
//
//   bv train --config configs/proj/uvim/vqvae_imagenet2012_colorization.ts:singlehost --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, onThreeParts, stage1, stage1Args } from './common';

export const colorParts = { color: 3 };

const name = 'imagenet2012';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, runlocal, singlehost } = parseArg(text, stage1Args);
  const grey =
    '|copy(inkey="image", outkey="labels")|rgb_to_grayscale_to_rgb(inkey="image",outkey="image")' +
    '|value_range(-1,1,key="image")|value_range(-1,1,key="labels")|keep("image","labels")';
  const pp_fn = `decode|resize(${res})${grey}`;
  return {
    ...stage1({
      parts: colorParts,
      res,
      patch_size,
      uvim: { task: 'colorization' },
      lr: 4e-4,
      wd: 4e-5,
      total_epochs: singlehost ? 20 : 100,
      runlocal,
    }),
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `decode_jpeg_and_inception_crop(${res})|flip_lr${grey}`,
      batch_size: singlehost ? 128 : runlocal ? 16 : 1024,
    },
    // The original also computes FID, with a network that comes with TensorFlow GAN.
    evals: {
      val: losses({ name, split: runlocal ? 'validation[:16]' : 'train[:4096]' }, pp_fn, runlocal ? 20 : 250),
      ...onThreeParts(
        'psnr',
        'psnr_val',
        name,
        { type: 'proj.uvim.psnr', pp_fn, log_steps: runlocal ? 20 : 10_000 },
        ...(runlocal ? [['train[:256]', 'train[256:512]', 'train[:256]'] as const] : []),
      ),
    },
  };
}
