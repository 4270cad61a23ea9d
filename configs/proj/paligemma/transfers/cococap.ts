// PaliGemma's transfer to captions of COCO (arXiv:1504.00325), evaluated on NoCaps too (arXiv:1812.08658).

import { parseArg } from '../../../../core/config/args';
import { answers, beamed, captionEn, cropOps, oneOf, task, transferArgs } from './common';

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, crop: 'rs', beam_size: 2 });
  const text_len = 32;
  const more = { batch_size: 1024, ...beamed(arg.beam_size, text_len) };
  const seen = (crop: string) => `decode|${crop}|value_range(-1, 1)`;
  const resized = seen(cropOps('rs', arg.res));
  const train = (crop: string) => [
    'flatten',
    seen(cropOps(crop, arg.res)),
    oneOf('captions/text'),
    captionEn,
  ];
  const splits = [
    ['minitrain', 'train[:2%]'],
    ['minival', 'train[-2%:]'],
    ['eval', 'val'],
  ] as const;
  return task({
    arg,
    data: 'coco_captions',
    split: arg.final_split ? 'train+restval' : 'train[:98%]+restval',
    text_len,
    train: train(arg.crop),
    evaluate: ['flatten', 'copy("captions/text", "captions")', resized, captionEn],
    keep: ['image/id', 'captions'],
    evaluator: 'coco_caption',
    prefix: 'cococap',
    splits,
    log_percent: 0.1,
    more,
    others: (pp_fn) =>
      answers('nocaps', [['eval', 'val']], {
        evaluator: 'coco_caption',
        data: 'nocaps',
        pp_fn: pp_fn.replace('flatten|copy("captions/text", "captions")', 'copy("texts", "captions")'),
        text_len,
        log_percent: 0.1,
        more,
      }),
    pplx: { splits, log_percent: 0.05, train: train('rs') },
    batch_size: 256,
    length: { total_epochs: 5 },
    lr: 1e-4,
    wd: 0,
  });
}
