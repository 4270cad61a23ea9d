// PaliGemma's transfer to Screen2Words (arXiv:2108.03353): captions of screens.

import { parseArg } from '../../../../core/config/args';
import { captionEn, oneOf, seePlain, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seePlain(arg.res), captionEn];
  const splits = [
    ['minitrain', 'train[:5%]'],
    ['dev', 'dev'],
    ['test', 'test'],
  ] as const;
  return task({
    arg,
    data: 'screen2_words',
    split: arg.final_split ? 'train+dev' : 'train',
    text_len: 24,
    train: [...asked, 'copy(inkey="image/id", outkey="_id")', oneOf('summary')],
    evaluate: ['copy("summary", "captions")', ...asked],
    keep: ['image/id', 'captions'],
    evaluator: 'coco_caption',
    prefix: 'screen2words',
    splits,
    log_percent: 0.1,
    more: { batch_size: 1024 },
    pplx: { splits, log_percent: 0.05 },
    batch_size: 256,
    length: { total_epochs: 10 },
    lr: 1e-5,
    wd: 0,
    label_smoothing: 0.2,
    llm: { dropout: 0.3 },
  });
}
