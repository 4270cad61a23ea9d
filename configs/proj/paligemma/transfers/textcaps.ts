// PaliGemma's transfer to TextCaps (arXiv:2003.12462).

import { parseArg } from '../../../../core/config/args';
import { beamed, captionEn, cropOps, oneOf, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, crop: 'rs', beam_size: 3 });
  const text_len = 32;
  const seen = (crop: string) => `decode|${cropOps(crop, arg.res)}|value_range(-1, 1)`;
  const train = (crop: string) => ['flatten', seen(crop), oneOf('texts'), captionEn, 'lower(key="suffix")'];
  const splits = [
    ['minitrain', 'train[:2%]'],
    ['minival', 'train[-2%:]'],
    ['eval', 'val'],
  ] as const;
  return task({
    arg,
    data: 'text_caps',
    split: arg.final_split ? 'train' : 'train[:98%]',
    text_len,
    train: train(arg.crop),
    evaluate: [seen('rs'), 'flatten', 'copy("texts", "captions")', captionEn],
    keep: ['image/id', 'captions'],
    evaluator: 'coco_caption',
    prefix: 'textcaps',
    splits,
    log_percent: 0.1,
    more: { batch_size: 1024, ...beamed(arg.beam_size, text_len) },
    pplx: { splits, log_percent: 0.05, train: train('rs') },
    batch_size: 256,
    length: { total_epochs: 5 },
    lr: 1e-5,
    wd: 0,
  });
}
