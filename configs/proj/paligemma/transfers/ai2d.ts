// PaliGemma's transfer to AI2D (arXiv:1603.07396): one of several answers.

import { parseArg } from '../../../../core/config/args';
import { seePlain, seeSmooth, task, transferArgs } from './common';

export const chooseFrom = (key: string) => [
  `strjoin(" \t ", inkey="${key}", outkey="ansstr")`,
  'strfmt("answer en  {question} choose from: {ansstr}", outkey="prefix")',
];

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = chooseFrom('possible_answers');
  const splits = [
    ['minitrain', 'train[:1024]'],
    ['minival', 'train[-1024:]'],
    ['eval', 'test'],
  ] as const;
  return task({
    arg,
    data: 'ai2d',
    split: arg.final_split ? 'train' : 'train[:-1024]',
    text_len: 128,
    train: [seeSmooth(arg.res), ...asked, 'copy(inkey="answer", outkey="suffix")'],
    evaluate: [seePlain(arg.res), ...asked, 'copy(inkey="id",outkey="question_id")'],
    keep: ['answer', 'question_id'],
    evaluator: 'vqa',
    prefix: 'ai2d',
    splits,
    log_percent: 1 / 8,
    outfile: 'ai2d',
    more: { to_lower: false, batch_size: 1024 },
    pplx: { splits, log_percent: 1 / 8 },
    batch_size: 256,
    length: { total_epochs: 10 },
    lr: 1e-5,
    wd: 1e-5 * 0.1,
  });
}
