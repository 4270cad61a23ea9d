// PaliGemma's transfer to RefCOCO: the box and the mask of what a text refers to (arXiv:1608.00272).

import { parseArg } from '../../../../core/config/args';
import {
  answers,
  combineAndKeepEval,
  combineAndKeepTrain,
  perplexities,
  transfer,
  transferArgs,
} from './common';

const text_len = 48;
/** The data set and split of each evaluation, and how often. */
const evaluations = [
  ['refcoco/val', 'refcoco_unc', 'validation_flat', 0.2],
  ['refcoco/testA', 'refcoco_unc', 'testA_flat', 1],
  ['refcoco/testB', 'refcoco_unc', 'testB_flat', 1],
  ['refcocop/val', 'refcocoplus_unc', 'validation_flat', 1],
  ['refcocop/testA', 'refcocoplus_unc', 'testA_flat', 1],
  ['refcocop/testB', 'refcocoplus_unc', 'testB_flat', 1],
  ['refcocog/val', 'refcocog_umd', 'validation_flat', 1],
  ['refcocog/test', 'refcocog_umd', 'test_flat', 1],
] as const;

export default function config(text = '') {
  const arg = parseArg(text, { mode: transferArgs.mode, res: 448 });
  const pp = combineAndKeepTrain({
    text_len,
    before: [
      'flatten',
      'choice_no_replacement(key=["objects/mask", "objects/bbox", "objects/refs/sentence"])',
      'choice(key=["objects/refs/sentence"])',
      `decode|resize(${arg.res})|value_range(-1, 1)`,
      'refcoco_mask2str',
    ],
  });
  const pp_fn = combineAndKeepEval({
    text_len,
    before: [
      'flatten',
      'choice(key=["objects/mask", "objects/bbox", "objects/refs/sentence"])',
      'choice(key=["objects/refs/sentence"], outkey="prefix")',
      `decode|resize(${arg.res})|value_range(-1, 1)`,
    ],
    keep: ['objects/mask', 'objects/bbox', 'width', 'height'],
  });
  const evaluated = evaluations.map(([name, set, split, log_percent]) =>
    answers('seg', [[name, split, log_percent]], {
      evaluator: 'segmentation',
      data: `ref_coco_bv/${set}:1.4.0`,
      pp_fn,
      text_len,
      skip_rare: true,
      more: { batch_size: 256 },
    }),
  );
  const data = 'ref_coco_bv/refcocox_combined:1.4.0';
  return transfer({
    arg,
    input: { data: { name: data, split: 'train' }, pp },
    batch_size: 64,
    length: { total_epochs: 5 },
    lr: 1e-5,
    wd: 0,
    label_smoothing: 0.3,
    img: { dropout: 0 },
    evals: {
      ...(Object.assign({}, ...evaluated) as ReturnType<typeof answers>),
      ...perplexities(
        'refcoco_seg',
        [
          ['minitrain', 'train[:5%]'],
          ['val', 'validation'],
        ],
        { data, pp, log_percent: 0.05 },
      ),
    },
  });
}
