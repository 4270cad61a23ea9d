// UViM (arXiv:2205.10337), stage II for colourisation of ImageNet.
//
//   bv train --config configs/proj/uvim/train_imagenet2012_colorization_pretrained.ts:singlehost --workdir DIR \
//     --config.uvim.oracle.model_init=FILE.npz --config.model_init.encoder=FILE.npz
//
// Nothing is downloaded: the checkpoints of stage I and of the encoder have to be there.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, onThreeParts, res, stage2, stage2Args } from './common';
import { colorParts } from './vqvae_imagenet2012_colorization';

const name = 'imagenet2012';

export default function config(text = ''): ConfigInput {
  const { runlocal, singlehost } = parseArg(text, stage2Args);
  const grey =
    `|copy(inkey="image", outkey="labels")|resize(${res},inkey="labels",outkey="labels",method="nearest")` +
    '|value_range(-1,1,key="labels")|rgb_to_grayscale_to_rgb(inkey="image",outkey="image")|value_range(-1,1,key="image")' +
    `|copy(inkey="image", outkey="image_ctx")|resize(${res},inkey="image_ctx",outkey="image_ctx")`;
  const pp_fn = `decode|resize(${res})${grey}|strong_hash(inkey="tfds_id", outkey="image/id")|keep("image","image_ctx","labels","image/id")`;
  return {
    ...stage2({
      parts: colorParts,
      task: { task: 'colorization' },
      model_init: 'gs://big_vision/uvim/color_stageI_params.npz',
      total_epochs: singlehost ? 20 : 50,
    }),
    input: {
      data: { name, split: 'train[4096:]' },
      pp: `decode_jpeg_and_inception_crop(${res})|flip_lr${grey}|keep("image","image_ctx","labels")`,
      batch_size: singlehost ? 32 : runlocal ? 8 : 512,
    },
    // The original also computes FID, with a network that comes with TensorFlow GAN.
    evals: {
      val: losses({ name, split: runlocal ? 'validation[:256]' : 'train[:4096]' }, pp_fn, 1000),
      ...onThreeParts('psnr', 'psnr_val', name, { type: 'proj.uvim.psnr', pp_fn, log_steps: 10_000 }),
    },
  };
}
