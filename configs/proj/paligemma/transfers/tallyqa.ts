// PaliGemma's transfer to TallyQA (arXiv:1810.12440): how many there are; evaluated on CountBenchQA too.

import { parseArg } from '../../../../core/config/args';
import { answerEn, answers, combineAndKeepEval, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const { mode, res } = transferArgs;
  const arg = parseArg(text, { mode, res });
  const text_len = 32;
  const more = { batch_size: 256 };
  const asked = [seeSmooth(arg.res), answerEn];
  return task({
    arg,
    data: 'tallyqa',
    split: 'train',
    text_len,
    train: [...asked, 'strfmt("{answer}", outkey="suffix")'],
    evaluate: [...asked, 'strfmt("{answer}", outkey="answer")'],
    keep: ['answer', 'issimple'],
    evaluator: 'tallyqa',
    prefix: 'tallyqa',
    splits: [
      ['minitrain', 'train[:5%]', 0.1],
      ['eval', 'test', 1 / 4],
    ],
    more,
    others: () =>
      answers('countbenchqa', [['eval', 'huggingface', 0.1]], {
        evaluator: 'tallyqa',
        data: 'countbenchqa',
        pp_fn: combineAndKeepEval({
          text_len,
          before: [...asked, 'strfmt("{number}", outkey="answer")'],
          keep: ['answer'],
        }),
        text_len,
        more,
      }),
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['eval', 'test'],
      ],
      log_percent: 0.1,
    },
    batch_size: 256,
    length: { total_epochs: 2 },
    lr: 1e-5,
    wd: 0,
  });
}
