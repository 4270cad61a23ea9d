// PaliGemma's transfer to VQAv2 (arXiv:1612.00837).

import { parseArg } from '../../../../core/config/args';
import { oneOf, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), 'strfmt("answer en {question_text}", outkey="prefix")'];
  return task({
    arg,
    data: 'vqa',
    split: arg.final_split ? 'train + validation' : 'train + validation[:-10240]',
    text_len: 32,
    train: [...asked, oneOf('answers')],
    evaluate: asked,
    keep: ['answers', 'answer_type', 'question_type', 'question_id'],
    evaluator: 'vqav2',
    prefix: 'vqav2',
    splits: [
      ['minitrain', 'train[:5120]', 1 / 4],
      ['minival', 'validation[-10240:]', 1 / 4],
      // Both, since the challenge of 2021.
      ['test', 'test + test-dev', 1],
    ],
    skip_rare: true,
    outfile: 'vqav2',
    more: { batch_size: 1024 },
    pplx: {
      splits: [
        ['minitrain', 'train[:20_864]'],
        ['minival', 'validation[-10240:]'],
      ],
      log_percent: 1 / 4,
    },
    batch_size: 256,
    length: { total_epochs: 10 },
    optax: {},
    lr: 3e-6,
    wd: 3e-7,
  });
}
