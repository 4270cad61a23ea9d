// PaliGemma's transfer to TextVQA (arXiv:1904.08920).

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seeSmooth(arg.res), answerEn];
  return task({
    arg,
    data: 'textvqa',
    split: arg.final_split ? 'train+val' : 'train',
    text_len: 32,
    train: [...asked, oneOf('answers')],
    evaluate: [...asked, 'strfmt("other", outkey="answer_type")'],
    keep: ['answers', 'answer_type', 'question_id'],
    evaluator: 'vqav2',
    prefix: 'textvqa',
    splits: [
      ['minitrain', 'train[:5120]', 1 / 8],
      ['eval', 'val', 1 / 8],
      ['test', 'test', 1],
    ],
    skip_rare: true,
    outfile: 'textvqa',
    more: { batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['eval', 'val'],
      ],
      log_percent: 0.05,
    },
    batch_size: 256,
    length: { total_epochs: 5 },
    lr: 3e-6,
    wd: 0,
  });
}
