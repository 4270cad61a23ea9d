// PaliGemma's transfer to NLVR2 (arXiv:1811.00491): two images, and whether a sentence is true of them; and MaRVL in five languages.

import { parseArg } from '../../../../core/config/args';
import { answers, task, transferArgs } from './common';

const languages = ['id', 'sw', 'ta', 'tr', 'zh'];

export default function config(text = '') {
  const arg = parseArg(text, transferArgs);
  const { res } = arg;
  const text_len = 64;
  const more = { batch_size: 1024 };
  const asked = [
    `resize(${res}, key="image_left")|resize(${res}, key="image_right")`,
    'stack_images(inkeys=["image_left", "image_right"], outkey="image")',
    'value_range(-1, 1)',
    `video_ensure_shape("image", (2, ${res}, ${res}, 3))`,
    'strfmt("answer en {sentence}", outkey="prefix")',
  ];
  return task({
    arg,
    data: 'nlvr2',
    split: arg.final_split ? 'train+dev' : 'train',
    text_len,
    train: [...asked, 'copy(inkey="label", outkey="suffix")'],
    evaluate: [
      ...asked,
      'copy(inkey="label", outkey="answer")',
      'copy(inkey="example_id", outkey="question_id")',
    ],
    keep: ['answer', 'question_id'],
    evaluator: 'vqa',
    prefix: 'nlvr2',
    splits: [
      ['minitrain', 'train[:10000]'],
      ['dev', 'dev'],
      ['test', 'test'],
    ],
    log_percent: 0.1,
    outfile: 'nlvr2',
    more,
    others: (pp_fn) =>
      answers(
        'marvl',
        languages.map((lang) => [`test_${lang}`, `test_${lang}`] as const),
        { evaluator: 'vqa', data: 'marvl', pp_fn, text_len, log_percent: 0.1, outfile: 'marvl', more },
      ),
    batch_size: 256,
    length: { total_epochs: 3 },
    lr: 1e-4,
    wd: 0,
  });
}
