// PaliGemma's transfer to InfographicVQA (arXiv:2104.12756).

import { parseArg } from '../../../../core/config/args';
import { answerEn, oneOf, seeSmooth, task, transferArgs } from './common';

const batchSizes: Readonly<Record<number, number>> = { 224: 256, 448: 128, 896: 32 };

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, res: 896, text_len: 48 });
  const asked = [seeSmooth(arg.res), 'lower(key="answers")', answerEn];
  return task({
    arg,
    data: 'infovqa',
    split: arg.final_split ? 'train+val' : 'train',
    text_len: arg.text_len,
    train: [...asked, oneOf('answers')],
    evaluate: asked,
    keep: ['answers', 'question_id'],
    evaluator: 'vqa',
    prefix: 'infovqa',
    splits: [
      ['minitrain', 'train[:5%]', 0.1],
      ['minival', 'val', 0.1],
      ['test', 'test', 1],
    ],
    skip_rare: true,
    outfile: 'infovqa',
    more: { to_lower: true, out_question_key: 'questionId', out_answer_key: 'answer', batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['minival', 'val'],
      ],
      log_percent: 0.05,
    },
    batch_size: batchSizes[arg.res] ?? 32,
    length: arg.mode === 'runlocal' ? { total_steps: 10 } : { total_epochs: 3 },
    lr: 3e-6,
    wd: 3e-7,
    label_smoothing: 0.4,
  });
}
