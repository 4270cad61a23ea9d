// PaliGemma's transfer to OK-VQA (arXiv:1906.00067).

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), answerEn];
  const splits = [
    ['minitrain', 'train[:5%]'],
    ['minival', 'train[-10%:]'],
    ['eval', 'val'],
  ] as const;
  return task({
    arg,
    data: 'okvqa',
    split: arg.final_split ? 'train' : 'train[:-10%]',
    text_len: 32,
    train: [...asked, oneOf('answers')],
    evaluate: asked,
    keep: ['answers', 'question_id'],
    evaluator: 'vqa',
    prefix: 'okvqa',
    splits,
    log_percent: 1 / 4,
    outfile: 'okvqa',
    more: { batch_size: 1024 },
    pplx: { splits, log_percent: 0.05 },
    batch_size: 128,
    length: { total_epochs: 10 },
    lr: 5e-6,
    wd: 0,
  });
}
