// PaliGemma's transfer to A-OKVQA (arXiv:2206.01718), one of several answers.

import { parseArg } from '../../../../core/config/args';
import { seeSmooth, task, transferArgs } from './common';

import { chooseFrom } from './ai2d';

const right = (outkey: string) =>
  `getidx(inkey="multiple_choice_possible_answers", index_key="multiple_choice_correct_idx", outkey="${outkey}")`;

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), ...chooseFrom('multiple_choice_possible_answers')];
  return task({
    arg,
    data: 'aokvqa',
    split: arg.final_split ? 'train + val' : 'train',
    text_len: 128,
    train: [...asked, right('suffix')],
    evaluate: [...asked, right('answer')],
    keep: ['answer', 'question_id'],
    evaluator: 'vqa',
    prefix: 'aokvqa_mc',
    splits: [
      ['minitrain', 'train[:5%]', 1 / 4],
      ['eval', 'val', 1 / 4],
      ['test', 'test', 1],
    ],
    skip_rare: true,
    outfile: 'aokvqa_mc',
    more: { batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['eval', 'val'],
        ['test', 'test'],
      ],
      log_percent: 0.05,
    },
    batch_size: 128,
    length: { total_epochs: 15 },
    lr: 5e-6,
    wd: 0,
  });
}
