// CLIPPO (arXiv:2212.08045) on COCO captions, from a ViT-B/16 of ImageNet-21k: a check that all of it works. The paper
// trains from nothing on WebLI with batches of 10,240; see proj/clippo/README.md for its settings.
//
//   bv train --config configs/proj/clippo/train_clippo.ts --workdir DIR --config.model_init.image=FILE.npz

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { fewshotLsr } from '../../common_fewshot';
import { cocoRetrieval } from '../image_text/common';

export default function config(text = ''): ConfigInput {
  const { res, runlocal, variant, i1k_eval } = parseArg(text, {
    res: 224,
    runlocal: false,
    variant: 'B/16',
    i1k_eval: false,
  });
  const render = (inkey: string, outkey = 'labels') =>
    `render_unifont(inkey="${inkey}", outkey="${outkey}", image_size=${res}, lower=True, font_size=16, ` +
    `text_brightness=0, background_brightness=127)|value_range(-1, 1, inkey="${outkey}", outkey="${outkey}")`;
  const image = `decode|resize(${res})`;
  const range = 'value_range(-1,1)';
  const pair = (pp: string) => `${pp}|flatten|${render('captions/text')}|keep("image", "labels")`;
  const augmented = pair(`${image}|flip_lr|randaug(2,10)|${range}`);

  const part = runlocal ? '[:4]' : '';
  const contrastive = (name: string, split: string, pp_fn: string) => ({
    type: 'proj.image_text.contrastive',
    use_global_batch: true,
    data: { name, split },
    pp_fn,
    log_steps: runlocal ? 5 : 1000,
  });
  const log_steps = runlocal ? 5 : 5000;

  return {
    seed: 0,
    total_steps: runlocal ? 10 : 400,
    input: {
      data: { name: 'coco_captions', split: 'train' },
      pp: augmented,
      batch_size: runlocal ? 32 : 4000,
    },

    model_name: 'proj.clippo.one_tower',
    model: {
      image_model: 'vit',
      image: { variant, pool_type: 'map', head_zeroinit: false },
      temperature_init: 10,
      out_dim: 768,
    },
    model_init: { image: `howto-i21k-${variant}` },
    model_load: { img_load_kw: { dont_load: ['^head/.*', '^MAPHead_0/.*', 'cls'] } },
    image_text: { loss: 'softmax' },

    optax_name: 'big_vision.scale_by_adafactor',
    grad_clip_norm: 1,
    lr: 0.0001,
    wd: 0.0003,
    schedule: {
      decay_type: 'rsqrt',
      timescale: 100,
      warmup_steps: runlocal ? 5 : 100,
      cooldown_steps: runlocal ? 5 : 100,
    },

    log_training_steps: 50,
    ckpt_steps: 1000,
    keep_ckpt_steps: 5000,
    evals: {
      val: contrastive('coco_captions', 'val', augmented),
      coco: contrastive('coco_captions', `val${part}`, pair(`${image}|${range}`)),
      ...(i1k_eval && {
        imagenet: contrastive(
          'imagenet2012',
          `validation${part}`,
          `${image}|${range}|clip_i1k_label_names|${render('labels')}|keep("image", "labels")`,
        ),
        disclf: {
          type: 'proj.image_text.discriminative_classifier',
          pp_txt: render('texts'),
          prefix: 'z/0shot/',
          log_steps,
        },
      }),
      retrieval_coco: cocoRetrieval({
        pp_img: `resize(${res})|value_range(-1, 1)`,
        pp_txt: render('texts'),
        log_steps,
      }),
      fewshot: { ...fewshotLsr(), log_steps, representation_layer: 'img/pre_logits' },
    },
  };
}
