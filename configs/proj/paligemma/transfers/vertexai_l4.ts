// Captions on one small accelerator: little memory, so plain gradient descent.

import { parseArg } from '../../../../core/config/args';
import type { ConfigInput } from '../../../../core/config/schema';
import {
  captionEn,
  combineAndKeepTrain,
  freezeArgs,
  frozen,
  pretrained,
  seeSmooth,
  sharding,
} from './common';

export default function config(text = ''): ConfigInput {
  const arg = parseArg(text, { res: 224, text_len: 128, batch_size: 4, ...freezeArgs });
  return {
    input: {
      data: {
        name: 'bv:jsonl',
        fname: 'gs://longcap100/data_train90.jsonl',
        fopen_keys: { image: 'gs://longcap100/' },
      },
      pp: combineAndKeepTrain({ text_len: arg.text_len, before: [seeSmooth(arg.res), captionEn] }),
      batch_size: arg.batch_size,
    },
    total_epochs: 1,
    optax_name: 'big_vision.sgd',
    lr: 0.1,
    wd: 0,
    grad_clip_norm: 1,
    paligemma: { label_smoothing: 0 },
    schedule: frozen(arg),
    ...pretrained(arg.res),
    ...sharding,
    log_training_steps: 1,
    ckpt_steps: 1000,
    seed: 0,
  };
}
