// PaliGemma in small: one model that says what a picture of OpenMoji is called, or which group it is of, as it is asked.
//
//   bv train --config configs/proj/paligemma/openmoji.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { combineAndKeepEval, combineAndKeepTrain } from './transfers/common';

const [resolution, text_len, answer_len] = [32, 24, 12];
const model = 'openmoji';
const common = { text_len, sep: ':', model };

/** What is asked, and the feature that has the answer. */
const tasks = {
  name: { prefix: 'name', suffix: 'captions/text' },
  group: { prefix: 'group', suffix: 'group' },
} as const;

const ask = ({ prefix }: { readonly prefix: string }) => `setdefault("prefix", "${prefix}")`;

export default function config(text = ''): ConfigInput {
  const { epochs, batch_size } = parseArg(text, { epochs: 20, batch_size: 128 });
  const data = { name: 'openmoji', split: 'test' };
  const seen = `flatten|resize(${resolution})|value_range(-1, 1)`;
  const training = (task: keyof typeof tasks) => ({
    data: { name: 'openmoji', split: 'train' },
    // No mirroring: arrows have a side. Of several texts one is drawn.
    pp: [
      `flatten|inception_crop(${resolution}, 70)|value_range(-1, 1)`,
      task === 'group' ? 'copy("group", "suffix")' : `choice(inkey="${tasks[task].suffix}", outkey="suffix")`,
      ask(tasks[task]),
      combineAndKeepTrain(common),
    ].join('|'),
  });
  const evaluated = { data, skip_first: true, log_percent: 0.5, tokenizer: model };
  const answered = {
    ...evaluated,
    pred: 'decode',
    pred_kw: { max_decode_len: answer_len },
  };

  return {
    header: {
      command: 'npx bv train --config configs/proj/paligemma/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, most of the time busy with other work',
      minutes: 30,
      expect: { 'group/acc': 0.42 },
      paper: 'arXiv:2407.07726',
    },
    total_epochs: epochs,
    input: {
      data: { name: 1, group: 1 },
      name: training('name'),
      group: training('group'),
      batch_size,
    },

    model_name: 'proj.paligemma.paligemma',
    model: {
      img: {
        width: 96,
        depth: 3,
        mlp_dim: 192,
        num_heads: 4,
        patch_size: [8, 8],
        pool_type: 'none',
        dropout: 0.1,
      },
      llm_model: 'ppp.gemma',
      llm: {
        width: 96,
        depth: 2,
        mlp_dim: 192,
        num_heads: 4,
        num_kv_heads: 1,
        head_dim: 24,
        vocab_size: 2048,
        dropout: 0.1,
        scan: true,
      },
    },
    paligemma: {},

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 3e-3,
    wd: 3e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 50,
    ckpt_epochs: 20,
    evals: {
      'name/pplx': {
        ...evaluated,
        tokenizer: undefined,
        type: 'proj.paligemma.perplexity',
        pred: 'logits',
        key: 'text',
        shift_labels: true,
        pp_fn: `${seen}|choice(inkey="captions/text", outkey="suffix")|${ask(tasks.name)}|${combineAndKeepTrain(common)}`,
      },
      name: {
        ...answered,
        type: 'proj.paligemma.transfers.coco_caption',
        metrics: ['cider', 'bleu-4', 'rouge'],
        preds_outfile: '{workdir}/names.json',
        pp_fn: `${seen}|${ask(tasks.name)}|copy("hexcode", "image/id")|copy("captions/text", "captions")|${combineAndKeepEval({ ...common, keep: ['image/id', 'captions'] })}`,
      },
      group: {
        ...answered,
        type: 'proj.paligemma.transfers.vqa',
        outfile: '{workdir}/groups.json',
        pp_fn: `${seen}|${ask(tasks.group)}|copy("group", "answer")|copy("hexcode", "question_id")|${combineAndKeepEval({ ...common, keep: ['answer', 'question_id'] })}`,
      },
    },
  };
}
