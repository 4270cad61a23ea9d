// PaliGemma on POPE (arXiv:2305.10355), without training: whether an object is in an image.

import { parseArg } from '../../../../core/config/args';
import {
  answers,
  combineAndKeepEval,
  combineAndKeepTrain,
  pretrained,
  seePlain,
  sharding,
  transferArgs,
} from './common';

import type { ConfigInput } from '../../../../core/config/schema';

const sets = ['pope_random', 'pope_popular', 'pope_adversarial'];

export default function config(text = ''): ConfigInput {
  const { mode, res } = transferArgs;
  const arg = parseArg(text, { mode, res, text_len: 48, prefix: '{question}' });
  const { text_len } = arg;
  const asked = [seePlain(arg.res), `strfmt("${arg.prefix}", outkey="prefix")`];
  const pp = combineAndKeepTrain({ text_len, before: [...asked, 'copy(inkey="answer", outkey="suffix")'] });
  const pp_fn = combineAndKeepEval({ text_len, before: asked, keep: ['question_id', 'answer'] });
  const split = arg.mode === 'runlocal' || arg.mode === 'mock' ? 'test[:16]' : 'test';
  const evaluated = (data: string) =>
    answers('pope', [[data, split]], { evaluator: 'pope', data, pp_fn, text_len, log_percent: 1 });
  return {
    input: {
      data: Object.fromEntries(sets.map((name) => [name, 1])),
      ...Object.fromEntries(sets.map((name) => [name, { data: { name, split: 'test' }, pp }])),
      batch_size: 256,
    },
    total_steps: 0,
    optax_name: 'identity',
    lr: 0,
    paligemma: {},
    evals: Object.assign({}, ...sets.map(evaluated)) as ConfigInput['evals'],
    ...pretrained(arg.res),
    ...sharding,
  };
}
