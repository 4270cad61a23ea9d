// Evaluates released models: a run of no steps. Models other than bit_paper need their checkpoint in model_init.
//
//   bv train --config configs/load_and_eval.ts:name=bit_paper,batch_size=8 --workdir DIR
//   bv train --config configs/load_and_eval.ts:name=vit_i21k,batch_size=8 --workdir DIR \
//     --config.model.variant=B/32 --config.model_init=howto-i21k-B/32

import { parseArg } from '../core/config/args';
import type { ConfigInput } from '../core/config/schema';
import { choose, classify, finish } from './common';
import { fewshotLsr } from './common_fewshot';

const resized = 'decode|resize_small(256)|central_crop(224)';

const val = {
  val: classify('imagenet2012', 'validation', {
    pp_fn: `${resized}|${finish(1000)}`,
    loss_name: 'softmax_xent',
  }),
};

const bit = (name: string, split: string, label: string) =>
  classify(name, split, { pp_fn: `decode|resize(384)|${finish(1000, label)}`, loss_name: 'softmax_xent' });

type ModelConfig = Pick<ConfigInput, 'num_classes' | 'model_name' | 'model_init' | 'model' | 'evals'>;

const models: Readonly<Record<string, ModelConfig>> = {
  bit_paper: {
    num_classes: 1000,
    model_name: 'bit_paper',
    // Pre-trained on ImageNet-21k ("M") and fine-tuned.
    model_init: 'M-imagenet2012',
    model: { width: 1, depth: 50 },
    evals: {
      test: bit('imagenet2012_real', 'validation', 'original_label'),
      real: bit('imagenet2012_real', 'validation', 'real_label'),
      v2: bit('imagenet_v2', 'test', 'label'),
    },
  },
  vit_i1k: {
    num_classes: 1000,
    model_name: 'vit',
    model: { variant: 'S/16', pool_type: 'gap', posemb: 'sincos2d', rep_size: true },
    evals: val,
  },
  mlp_mixer_i1k: {
    num_classes: 1000,
    model_name: 'mlp_mixer',
    model: { variant: 'L/16' },
    evals: val,
  },
  vit_i21k: {
    num_classes: 21_843,
    model_name: 'vit',
    model: { variant: 'B/32', pool_type: 'tok' },
    evals: {
      val: classify('imagenet21k', 'full[:51200]', {
        pp_fn: `${resized}|value_range(-1, 1)|onehot(21843)|keep("image", "labels")`,
        loss_name: 'sigmoid_xent',
      }),
    },
  },
};

export default function config(text = ''): ConfigInput {
  const { name, batch_size } = parseArg(text, { name: 'bit_paper', batch_size: 4 });
  const { evals, ...model } = choose('name', name, models);

  return {
    ...model,
    total_steps: 0,
    input: {
      data: { name: 'zeros', features: { image: { shape: [224, 224, 3], dtype: 'float32' } } },
      batch_size,
    },
    optax_name: 'identity',
    lr: 0,
    mesh: [['data', -1]],
    sharding_strategy: [['params/.*', 'fsdp(axis="data")']],
    sharding_rules: [['act_batch', ['data']]],
    evals: { fewshot: fewshotLsr(), ...evals },
  };
}
