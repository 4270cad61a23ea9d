// PaliGemma's transfer to DocVQA (arXiv:2007.00398).

import { parseArg } from '../../../../core/config/args';
import { seeSmooth, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, res: 896 });
  const asked = [seeSmooth(arg.res), 'copy(inkey="question", outkey="prefix")'];
  return task({
    arg,
    data: 'docvqa',
    split: arg.final_split ? 'train+val' : 'train[:-5%]',
    text_len: 32,
    train: [...asked, 'choice(inkey="answers", outkey="suffix")'],
    evaluate: asked,
    keep: ['answers', 'question_id'],
    evaluator: 'vqa',
    prefix: 'docvqa',
    splits: [
      ['minitrain', 'train[:5%]', 1 / 8],
      ['minival', 'train[-5%:]', 1 / 8],
      ['eval', 'val', 1 / 8],
      ['test', 'test', 1],
    ],
    skip_rare: true,
    outfile: 'docvqa',
    more: { to_lower: true, out_question_key: 'questionId', batch_size: 256 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['minival', 'train[-5%:]'],
        ['eval', 'val'],
      ],
      log_percent: 0.05,
    },
    batch_size: 256,
    length: { total_epochs: 10 },
    lr: 1e-5,
    wd: 1e-6,
  });
}
