// PaliGemma's transfer to SciCap (arXiv:2110.11624): captions of figures.

import { parseArg } from '../../../../core/config/args';
import { captionEn, seePlain, task, transferArgs } from './common';

const caption = 'caption/lowercase_and_token_and_remove_figure_index';

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const asked = [seePlain(arg.res), captionEn];
  const splits = [
    ['minitrain', 'train[:5%]'],
    ['val', 'val'],
    ['test', 'test'],
  ] as const;
  return task({
    arg,
    data: 'scicap/first_sentence_subfig_no',
    split: arg.final_split ? 'train+val' : 'train',
    text_len: 96,
    train: [...asked, `copy(inkey="${caption}", outkey="suffix")`],
    evaluate: [`reshape([1], inkey="${caption}", outkey="captions")`, ...asked],
    keep: ['image/id', 'captions'],
    evaluator: 'coco_caption',
    prefix: 'scicap',
    splits,
    log_percent: 0.3,
    more: { metrics: ['cider', 'bleu-4'], batch_size: 1024 },
    pplx: { splits, log_percent: 0.05 },
    batch_size: 256,
    length: { total_epochs: 80 },
    lr: 3e-5,
    wd: 0,
    label_smoothing: 0.1,
    llm: { dropout: 0.1 },
  });
}
