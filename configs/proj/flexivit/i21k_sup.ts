// A FlexiViT from scratch on ImageNet-21k (arXiv:2212.08013). The values are those of the original's config; its evaluations of
// ImageNet-1k through a mapping of labels are left out, since their evaluator was never released.
//
//   bv train --config configs/proj/flexivit/i21k_sup.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { classify, finish } from '../../common';
import { adam, ateach, flexi, i21k, two } from './common';

const { classes, loss, parts } = i21k;

/** Ends preprocessing: labels are in the key that they come in. */
const labels = finish(classes).replace(', key="label", key_result="labels"', '');

export default function config(text = ''): ConfigInput {
  const { runlocal, res } = parseArg(text, { runlocal: false, res: 240 });
  const pp_fn = `decode|resize_small(${Math.floor(res / 7) * 8})|central_crop(${res})|${labels}`;

  return {
    ...i21k.training(`decode_jpeg_and_inception_crop(${res})|flip_lr|randaug(2,10)|${labels}`, runlocal),

    model_name: 'proj.flexi.vit',
    model: { variant: 'B', pool_type: 'tok', posemb: 'learn', patch_size: [8, 8], posemb_size: [7, 7] },
    flexi,
    ...adam,
    lr: 0.001,
    wd: 0.0001,
    schedule: { warmup_steps: 10_000, decay_type: 'cosine' },
    mixup: { p: 0.2 },

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: ateach((size) =>
      Object.fromEntries(
        Object.entries(parts).map(([name, split]) => [
          `${name}${two(size)}`,
          {
            ...classify('imagenet21k', runlocal ? 'full[:16]' : split, {
              pp_fn,
              loss_name: loss,
              log_steps: 5000,
            }),
            pred: `predict_seqhw=${size}`,
          },
        ]),
      ),
    ),
  };
}
