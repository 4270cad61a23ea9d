// Where to begin with data of your own: JSON lines with a picture and a text each, and captions of them.

import { parseArg } from '../../../../core/config/args';
import type { ConfigInput } from '../../../../core/config/schema';
import { captionEn, combineAndKeepEval, combineAndKeepTrain, freezeArgs, frozen, pretrained, seeSmooth, sharding, tokenizer } from './common'; // prettier-ignore

const gemma2: Readonly<Record<string, string>> = {
  '3b': 'gemma2_2b',
  '10b': 'gemma2_9b',
  '28b': 'gemma2_27b',
};

export default function config(text = ''): ConfigInput {
  const arg = parseArg(text, {
    res: 224,
    size: '3b',
    text_len: 128,
    batch_size: 32,
    ...freezeArgs,
    run_local: false,
  });
  const { res, size, text_len } = arg;
  const data = (fname: string) => ({
    name: 'bv:jsonl',
    fname: `gs://longcap100/${fname}.jsonl`,
    fopen_keys: { image: 'gs://longcap100/' },
  });
  const before = [seeSmooth(res), captionEn];
  const { model, ...start } = pretrained(res);
  const variant = size === '' ? 'gemma_2b' : gemma2[size];
  return {
    input: {
      data: data('data_train90'),
      pp: combineAndKeepTrain({ text_len, before }),
      batch_size: arg.batch_size,
    },
    total_epochs: 15,
    optax_name: 'scale_by_adam',
    lr: 1e-5,
    wd: 3e-7,
    grad_clip_norm: 1,
    paligemma: { label_smoothing: 0 },
    schedule: frozen(arg),
    evals: {
      'val/pplx': {
        type: 'proj.paligemma.perplexity',
        pred: 'logits',
        key: 'text',
        shift_labels: true,
        log_percent: 1 / 10,
        data: data('data_val10'),
        // Without a mask all words count, those of the question and the padding too.
        pp_fn: combineAndKeepEval({ text_len, before }),
      },
      'val/store': {
        type: 'proj.paligemma.transfers.storepreds',
        pred: 'decode',
        pred_kw: { max_decode_len: text_len },
        log_percent: 0.5,
        tokenizer,
        data: data('data_val10'),
        pp_fn: combineAndKeepEval({ text_len, before, keep: ['id'] }),
      },
    },
    ...start,
    // Logits without softcap are better for transfers.
    model: { ...model, llm: { ...model.llm, variant, ...(size !== '' && { final_logits_softcap: 0 }) } },
    ...(size !== '' && { model_init: `pt_${size}_${res}` }),
    ...sharding,
    log_training_steps: 1,
    ckpt_steps: 200,
    seed: 0,
  };
}
