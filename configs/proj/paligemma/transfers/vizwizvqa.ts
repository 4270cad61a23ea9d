// PaliGemma's transfer to VizWiz (arXiv:1802.08218).

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seePlain, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  return task({
    arg,
    data: 'vizwizvqa',
    split: arg.final_split ? 'train+val' : 'train',
    text_len: 48,
    train: [seeSmooth(arg.res), answerEn, oneOf('answers')],
    evaluate: [seePlain(arg.res), answerEn, 'copy("image/filename", "question_id")'],
    keep: ['answers', 'question_id'],
    evaluator: 'vqa',
    prefix: 'vizwizvqa',
    splits: [
      ['minitrain', 'train[:5120]', 1 / 8],
      ['minival', 'val', 0.1],
      ['test', 'test', 1],
    ],
    outfile: 'vizwiz',
    more: { out_question_key: 'image', batch_size: 1024 },
    pplx: {
      splits: [
        ['minitrain', 'train'],
        ['minival', 'val'],
      ],
      log_percent: 1 / 8,
    },
    batch_size: 256,
    length: { total_epochs: 10 },
    lr: 1e-5,
    wd: 0,
  });
}
