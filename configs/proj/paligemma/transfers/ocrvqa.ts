// PaliGemma's transfer to OCR-VQA.

import { parseArg } from '../../../../core/config/args';
import { answerEn, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), answerEn];
  return task({
    arg,
    data: 'ocrvqa_id',
    split: arg.final_split ? 'train+val' : 'train + val[20_000:]',
    text_len: 32,
    train: [...asked, 'copy(inkey="answer", outkey="suffix")'],
    evaluate: [...asked, 'copy(inkey="int_id", outkey="question_id")'],
    keep: ['answer', 'question_id'],
    evaluator: 'vqa',
    prefix: 'ocrvqa',
    splits: [
      ['minitrain', 'train[:5120]', 1 / 8],
      ['minival', 'val[:20_000]', 1 / 4],
      ['eval', 'test', 1],
    ],
    skip_rare: true,
    more: { to_lower: true, batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5120]'],
        ['minival', 'val[:20_000]'],
        ['eval', 'test'],
      ],
      log_percent: 0.1,
    },
    batch_size: 128,
    length: { total_epochs: 3 },
    lr: 3e-6,
    wd: 0,
  });
}
