// PaliGemma's transfer to ScienceQA (arXiv:2209.09513).

import { parseArg } from '../../../../core/config/args';
import { freezeArgs, frozen, seePlain, task, transferArgs } from './common';

/** Of questions, context and options. */
const questions: Readonly<Record<string, string>> = {
  simple: '{question}\\nOptions: {indexed_choices}',
  QM: 'Question: {question}\\nOptions: {indexed_choices}\\nAnswer:',
  CQM: 'Context: {hint}\\nQuestion: {question}\\nOptions: {indexed_choices}\\nAnswer:',
  QCM: 'Question: {question}\\nContext: {hint}\\nOptions: {indexed_choices}\\nAnswer:',
};
/** Of answers, lectures and explanations. */
const answers: Readonly<Record<string, string>> = {
  simple: '{indexed_answer}',
  A: 'The answer is {indexed_answer}.',
  AL: 'The answer is {indexed_answer}. BECAUSE: {solution}',
  AE: 'The answer is {indexed_answer}. BECAUSE: {lecture}',
  ALE: 'The answer is {indexed_answer}. BECAUSE: {lecture} {solution}',
};

const formatted = (formats: Readonly<Record<string, string>>, name: string, outkey: string) => {
  const format = formats[name];
  if (format === undefined)
    throw new Error(`There is no format "${name}": one of ${Object.keys(formats).join(', ')}.`);
  return `strfmt("${format}", outkey="${outkey}")`;
};

export default function config(text = '') {
  const arg = parseArg(text, { ...transferArgs, res: 448, ...freezeArgs, qfmt: 'QCM', afmt: 'A' });
  const ask = formatted(questions, arg.qfmt, 'prefix');
  return task({
    arg,
    data: 'science_qa',
    split: arg.final_split ? 'train+val' : 'train',
    text_len: 512,
    train: [
      seePlain(arg.res),
      'drop("indexed_choices","indexed_answer")',
      "sci_qa_choices_shuffle(choice_str_inkey='choices', ans_inkey='answer')",
      ask,
      formatted(answers, arg.afmt, 'suffix'),
    ],
    evaluate: [
      seePlain(arg.res),
      ask,
      formatted(answers, arg.afmt, 'answer'),
      'copy(inkey="_id",outkey="question_id")',
    ],
    keep: ['answer', 'question_id'],
    evaluator: 'science_qa',
    prefix: 'science_qa',
    splits: [
      ['minitrain', 'train[:5%]'],
      ['minival', 'val'],
      ['eval', 'test'],
    ],
    log_percent: 1 / 8,
    outfile: 'science',
    more: { batch_size: 1024 },
    pplx: {
      splits: [
        ['minitrain', 'train[:5%]'],
        ['minival', 'val'],
      ],
      log_percent: 0.05,
    },
    batch_size: 128,
    length: { total_epochs: 20 },
    lr: 5e-5,
    wd: 0,
    schedule: frozen(arg),
  });
}
