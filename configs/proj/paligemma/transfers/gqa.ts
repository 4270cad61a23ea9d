// PaliGemma's transfer to GQA (arXiv:1902.09506), evaluated in other languages too (xGQA, arXiv:2109.06082).

import { parseArg } from '../../../../core/config/args';
import { answers, freezeArgs, frozen, seePlain, task, transferArgs } from './common';

const languages = ['bn', 'de', 'en', 'id', 'ko', 'pt', 'ru', 'zh'];

export default function config(text = '') {
  const arg = parseArg(text, {
    ...transferArgs,
    ...freezeArgs,
    freeze_vit: true,
    prefix: 'answer en {question}',
  });
  const text_len = 32;
  const more = { batch_size: 1024 };
  const ask = `strfmt("${arg.prefix}", outkey="prefix")`;
  return task({
    arg,
    data: 'gqa',
    split: arg.final_split ? 'train_balanced+val_balanced' : 'train_balanced',
    text_len,
    train: [seePlain(arg.res), ask, 'copy(inkey="answer", outkey="suffix")'],
    evaluate: [seePlain(arg.res), 'copy(inkey="example_id", outkey="question_id")', ask],
    keep: ['answer', 'question_id'],
    evaluator: 'vqa',
    prefix: 'gqa',
    splits: [],
    others: (pp_fn) => {
      const decoded = (
        prefix: string,
        data: string,
        name: string,
        split: string,
        log_percent: number,
        entry: object,
      ) =>
        Object.entries(
          answers(prefix, [[name, split, log_percent]], { evaluator: 'vqa', data, pp_fn, text_len, more: { ...entry, ...more } }), // prettier-ignore
        ).map(([key, value]) => [`${key}/decode`, value] as const);
      const own = (name: string, split: string, log_percent: number, skip_first: boolean) =>
        decoded('gqa', 'gqa', name, split, log_percent, {
          outfile: `{workdir}/gqa_${name}.json`,
          out_question_key: 'question_id',
          out_answer_key: 'prediction',
          skip_first,
        });
      return Object.fromEntries([
        ...own('minitrain', 'train_balanced[:10000]', 1 / 8, false),
        ...own('val_balanced', 'val_balanced', 1 / 8, true),
        ...own('testdev_balanced', 'testdev_balanced', 1, true),
        ...languages.flatMap((lang) =>
          decoded('xgqa', 'xgqa', `test_zs_${lang}`, `test_zs_${lang}`, 1 / 8, {
            outfile: `{workdir}/xgqa_test_${lang}.json`,
          }),
        ),
      ]);
    },
    pplx: {
      splits: [
        ['minitrain', 'train_balanced[:5%]'],
        ['minival', 'val_balanced[:5%]'],
      ],
      log_percent: 0.05,
    },
    batch_size: 256,
    length: { total_epochs: 1 },
    lr: 1e-5,
    wd: 0,
    schedule: frozen(arg),
  });
}
