// PaliGemma's transfer to RSVQA (arXiv:2003.07333): questions about aerial images of high resolution, without numbers.

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seePlain, seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = ['lower(key="answers")', answerEn];
  return task({
    arg,
    data: 'rsvqa_hr/nonum',
    split: arg.final_split ? 'train + val' : 'train',
    text_len: 32,
    train: [seeSmooth(arg.res), ...asked, oneOf('answers')],
    evaluate: [seePlain(arg.res), ...asked],
    keep: ['answers', 'question_type', 'question_id'],
    evaluator: 'rsvqa',
    prefix: 'rsvqa_hr',
    splits: [
      ['minitrain', 'train[:1280]', 0.1],
      ['minival', 'val', 1],
      ['test', 'test', 1],
      ['test2', 'test_2', 1],
    ],
    skip_rare: true,
    outfile: 'rsvqa_hr',
    more: { to_lower: true, batch_size: 1024 },
    pplx: {
      splits: [
        ['minitrain', 'train[:1280]'],
        ['minival', 'val'],
      ],
      log_percent: 0.1,
    },
    batch_size: 256,
    length: arg.mode === 'runlocal' ? { total_steps: 10 } : { total_epochs: 1 },
    lr: 1e-5,
    wd: 0,
    label_smoothing: 0,
  });
}
