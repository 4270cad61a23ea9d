// JetFormer (arXiv:2411.19722) on images with texts, in both orders. COCO's captions stand in for the data of the paper.
//
//   bv train --config configs/proj/jetformer/jetformer_image_text.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { firstFew, imageTokens, type Size, training, transformer } from './common';

/** Weight of guidance and temperature of what is drawn. */
const drawing = {
  '350M': { cfg_inference_weight: 9, temperature: 0.96 },
  '1p3B': { cfg_inference_weight: 6, temperature: 0.96 },
} as const;

const words = 32_000;
const eos = 1;

export default function config(text = ''): ConfigInput {
  const { model_size, text_len, use_boi, ignore_pad, num_replicas, num_slices, ...rest } = parseArg(text, {
    res: 256,
    patch_size: 16,
    model_size: '350M',
    text_len: 64,
    use_adaptor: true,
    depth_to_seq: 1,
    use_boi: true,
    runlocal: false,
    num_replicas: 1,
    num_slices: 1,
    ignore_pad: false,
  });
  const shape = { ...rest, model_size: model_size as Size };
  const { res, runlocal } = shape;
  // Padding is learnt as words are, or there is none for the model: then the end of a text is the beginning of an image.
  const padded = ignore_pad ? 0 : 1;
  const ofLength = (key: string) => `tolen(length=${text_len}, pad_value=${padded}, key="${key}")`;
  const pp = [
    `decode|resize_small(${res}, inkey="image", outkey="image",method="bicubic", antialias=True)|central_crop(${res})`,
    'value_range(-1, 1, key="image")|flatten|choice(inkey="captions/text", outkey="text")',
    `copy(inkey="text", outkey="text")|lower(key="text")|tok(model="sp('c4_en')", eos="no", key="text")`,
    `setdefault("eos", [${eos}])`,
    `masked_concat(["text", "eos"], outkey="text", text_loss=[1, 1], text_mask=[1, ${padded}])`,
    ...['text', 'text_mask', 'text_loss'].map(ofLength),
    'keep("image", "text", "text_mask", "text_loss")',
  ].join('|');
  const boi = ignore_pad ? { boi_id: eos } : use_boi ? { boi_id: words + 1 } : {};
  const nolabel_id = words + (use_boi && !ignore_pad ? 2 : 1);
  const split = 'val[:4096]';

  return {
    ...training({ num_slices, num_replicas }),
    total_steps: 500_000,
    input: { data: { name: 'coco_captions', split: 'train' }, pp, batch_size: runlocal ? 8 : 4096 },
    log_training_steps: runlocal ? 5 : 50,
    ckpt_steps: 500,
    keep_ckpt_percent: 0,

    model_name: 'proj.jetformer.jetformer',
    model: {
      ...transformer(shape),
      bos_id: words,
      ...boi,
      nolabel_id,
      vocab_size: nolabel_id + 1,
      untie_output_vocab: true,
      causal_mask_on_prefix: true,
    },
    jetformer: {
      ...imageTokens(shape),
      noise_min: 3,
      rgb_noise_on_image_prefix: false,
      text_prefix_prob: 0.5,
      text_loss_weight: 0.0025,
      stop_grad_nvp_prefix: true,
      sample_images: { ...drawing[shape.model_size], temperature_probs: 1.0 },
    },

    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: { name: 'coco_captions', split: runlocal ? firstFew(split) : split },
        pp_fn: pp,
        log_steps: 5000,
      },
    },
  };
}
