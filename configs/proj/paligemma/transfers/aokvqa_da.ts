// PaliGemma's transfer to A-OKVQA (arXiv:2206.01718), in words of its own.

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), answerEn];
  return task({
    arg,
    data: 'aokvqa',
    split: arg.final_split ? 'train + val' : 'train',
    text_len: 32,
    train: [...asked, oneOf('direct_answers')],
    evaluate: [...asked, 'copy(inkey="direct_answers", outkey="answers")'],
    keep: ['answers', 'question_id'],
    evaluator: 'vqa',
    prefix: 'aokvqa_da',
    splits: [
      ['minitrain', 'train[:5%]', 1 / 4],
      ['eval', 'val', 1 / 4],
      ['test', 'test', 1],
    ],
    skip_rare: true,
    outfile: 'aokvqa_da',
    more: { batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['eval', 'val'],
      ],
      log_percent: 0.05,
    },
    batch_size: 128,
    length: { total_epochs: 10 },
    lr: 5e-6,
    wd: 0,
  });
}
