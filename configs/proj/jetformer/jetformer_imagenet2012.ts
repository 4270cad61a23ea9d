// JetFormer (arXiv:2411.19722) on ImageNet: images of a class.
//
//   bv train --config configs/proj/jetformer/jetformer_imagenet2012.ts:model_size=1p3B,total_epochs=500 --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { firstFew, imageTokens, type Size, training, transformer } from './common';

/** Weight of guidance and temperature of what is drawn. */
const drawing = {
  '350M': { cfg_inference_weight: 3, temperature: 0.94 },
  '1p3B': { cfg_inference_weight: 2, temperature: 0.93 },
} as const;

const labels = 1000;

export default function config(text = ''): ConfigInput {
  const { model_size, total_epochs, num_replicas, num_slices, ...rest } = parseArg(text, {
    res: 256,
    patch_size: 16,
    model_size: '350M',
    total_epochs: 100,
    use_adaptor: true,
    depth_to_seq: 1,
    runlocal: false,
    num_replicas: 1,
    num_slices: 1,
  });
  const shape = { ...rest, model_size: model_size as Size };
  const { res, runlocal } = shape;
  const pp = (flip: string) =>
    `decode|resize_small(${res}, inkey="image", outkey="image",method="bicubic", antialias=True)|central_crop(${res})${flip}` +
    '|value_range(-1, 1, key="image")|reshape((1,), inkey="label", outkey="text")|setdefault("text_loss", [1])' +
    '|copy("text_loss", "text_mask")|keep("image", "text", "text_mask", "text_loss")';
  const split = 'train[:4096]';

  return {
    ...training({ num_slices, num_replicas }),
    total_epochs,
    input: {
      data: { name: 'imagenet2012', split: 'train[4096:]' },
      pp: pp('|flip_lr'),
      batch_size: runlocal ? 8 : 2048,
    },
    log_training_steps: runlocal ? 5 : 50,
    ckpt_steps: 1000,

    model_name: 'proj.jetformer.jetformer',
    model: {
      ...transformer(shape),
      bos_id: labels,
      boi_id: labels + 1,
      nolabel_id: labels + 2,
      vocab_size: labels + 3,
      num_vocab_repeats: 16,
    },
    jetformer: {
      ...imageTokens(shape),
      text_prefix_prob: 1.0,
      sample_images: { ...drawing[shape.model_size], temperature_probs: 1.0 },
    },

    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: { name: 'imagenet2012', split: runlocal ? firstFew(split) : split },
        pp_fn: pp(''),
        log_steps: 1000,
      },
    },
  };
}
