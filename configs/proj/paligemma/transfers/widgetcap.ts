// PaliGemma's transfer to widget captioning (arXiv:2010.04295): what a part of a screen, in a red box, is for.

import { parseArg } from '../../../../core/config/args';
import { captionEn, oneOf, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [`decode|resize(${arg.res}, antialias=True)|draw_bbox|value_range(-1, 1)`, captionEn];
  return task({
    arg,
    data: 'widgetcap',
    split: arg.final_split ? 'train+dev' : 'train',
    text_len: 32,
    train: [...asked, oneOf('texts')],
    evaluate: ['copy("texts", "captions")', ...asked],
    keep: ['image/id', 'captions'],
    evaluator: 'coco_caption',
    prefix: 'widgetcap',
    splits: [
      ['val', 'dev'],
      ['eval', 'test'],
    ],
    log_percent: 0.1,
    more: { batch_size: 1024 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['minival', 'dev'],
        ['eval', 'test'],
      ],
      log_percent: 0.05,
    },
    batch_size: 64,
    length: { total_epochs: 4 },
    lr: 3e-6,
    wd: 3e-7,
    label_smoothing: 0.1,
    llm: { dropout: 0.1 },
  });
}
