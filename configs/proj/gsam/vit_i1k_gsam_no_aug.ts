// ViT on ImageNet-1k with GSAM and no augmentation beyond crops and flips, after section 5 of arXiv:2203.08065; the
// values are those of the original's config of the same name. Its evaluations on ReaL labels and few-shot tasks are left
// out. The images are in folders by class: data/imagenet2012/{train,validation} and data/imagenet_v2/test.
//
//   bv train --config configs/proj/gsam/vit_i1k_gsam_no_aug.ts:variant=B/32,data=DIR --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const lr = 0.003;
const linear_end = 0.01;

const common = 'value_range(-1, 1)|onehot(1000, key="label", key_result="labels")|keep("image", "labels")';

export default function config(text = ''): ConfigInput {
  const { variant, data, runlocal } = parseArg(text, { variant: 'B/32', data: 'data', runlocal: false });
  const imagesOf = (name: string, split: string) => ({ name: 'folder', path: `${data}/${name}`, split });
  const evaluate = (name: string, split: string) => ({
    type: 'classification',
    data: imagesOf(name, runlocal ? split.replace(/\[.*|$/, '[:1]') : split),
    pp_fn: `decode|resize_small(256)|central_crop(224)|${common}`,
    loss_name: 'sigmoid_xent',
    log_steps: 2500,
  });

  return {
    input: {
      data: imagesOf('imagenet2012', 'train[:99%]'),
      pp: `decode_jpeg_and_inception_crop(224)|flip_lr|${common}`,
      batch_size: runlocal ? 8 : 4096,
    },
    total_epochs: 300,

    num_classes: 1000,
    model_name: 'vit',
    model: { variant, rep_size: false, pool_type: 'gap' },
    init_head_bias: -10,

    loss: 'sigmoid_xent',
    grad_clip_norm: 1,
    optax_name: 'scale_by_adam',
    optax: { mu_dtype: 'float32' },
    lr,
    // The paper's decay of 0.3 is multiplied by the learning rate; this one is not.
    wd: 0.001,
    schedule: { warmup_steps: 10_000, decay_type: 'linear', linear_end },

    gsam: { rho_max: 0.6, rho_min: 0.1, alpha: 0.6, lr_max: lr, lr_min: linear_end * lr },

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: {
      train: evaluate('imagenet2012', 'train[:2%]'),
      minival: evaluate('imagenet2012', 'train[99%:]'),
      val: evaluate('imagenet2012', 'validation'),
      v2: evaluate('imagenet_v2', 'test'),
    },
  };
}
