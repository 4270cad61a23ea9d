// PaliGemma's transfer to ChartQA (arXiv:2203.10244).

import { parseArg } from '../../../../core/config/args';
import {
  answers,
  combineAndKeepEval,
  combineAndKeepTrain,
  perplexities,
  seeSmooth,
  transfer,
  transferArgs,
} from './common';

/** With the numbers of their examples. */
const sets = { 'chartqa/human': 7398, 'chartqa/augmented': 20_901 };
const names = Object.keys(sets);
const splits = [
  ['minitrain', 'train[:5%]'],
  ['minival', 'val'],
  ['eval', 'test'],
] as const;
const text_len = 48;

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, res: 896 });
  const asked = [seeSmooth(arg.res), 'copy(inkey="question", outkey="prefix")'];
  const pp = combineAndKeepTrain({ text_len, before: [...asked, 'copy(inkey="answer", outkey="suffix")'] });
  const pp_fn = combineAndKeepEval({ text_len, before: asked, keep: ['answer', 'question_id'] });
  const evaluated = (data: string) => ({
    ...answers(data, splits, { evaluator: 'chartqa', data, pp_fn, text_len, log_percent: 0.1, outfile: data.replace('/', '_'), more: { to_lower: true, batch_size: 1024 } }), // prettier-ignore
    ...perplexities(data, splits, { data, pp, log_percent: 0.05 }),
  });
  const split = arg.final_split ? 'train+val' : 'train';
  return transfer({
    arg,
    input: {
      data: sets,
      ...Object.fromEntries(names.map((name) => [name, { data: { name, split }, pp }])),
    },
    batch_size: 256,
    length: { total_epochs: 30 },
    lr: 1e-5,
    wd: 1e-6,
    label_smoothing: 0.2,
    llm: { dropout: 0.1 },
    evals: Object.assign({}, ...names.map(evaluated)) as ReturnType<typeof evaluated>,
  });
}
