// CapPa, or Cap with the argument cap, from nothing on the 2,101 training pictures of OpenMoji and what they are called.
//
//   bv train --config configs/proj/cappa/openmoji.ts --workdir DIR
//   bv train --config configs/proj/cappa/openmoji.ts:cap --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const [resolution, length] = [32, 16];
const ppImage = `resize(${resolution})|value_range(-1, 1)`;
const tokens = (inkey: string) =>
  `tok(model="openmoji", length=${length}, eos="sticky", inkey="${inkey}", outkey="labels")`;
// The name, the name with tags, or the group: what a text may say about a picture.
const captions = `choice(inkey="texts", outkey="text")|${tokens('text')}`;

export default function config(text = ''): ConfigInput {
  const { cap, epochs, batch_size } = parseArg(text, { cap: false, epochs: 60, batch_size: 128 });
  const common = { skip_first: true, log_epochs: 20 };
  const data = { name: 'openmoji', split: 'test' };

  return {
    header: {
      command: 'npx bv train --config configs/proj/cappa/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, most of the time busy with other work',
      minutes: 19,
      expect: { 'group/prec@1': 0.38 },
      paper: 'arXiv:2306.07915',
    },
    total_epochs: epochs,
    input: {
      data: { name: 'openmoji', split: 'train' },
      // No mirroring: arrows have a side.
      pp: `inception_crop(${resolution}, 70)|value_range(-1, 1)|${captions}|keep("image", "labels")`,
      batch_size,
    },

    model_name: 'proj.cappa.cappa',
    model: {
      num_layers: 3,
      num_heads: 4,
      mlp_dim: 192,
      emb_dim: 96,
      patches: [8, 8],
      vocab_size: 2048,
      seq_len: length,
      decoder_num_layers: 1,
      enc_dropout_rate: 0.1,
      masked_pred_prob: cap ? 0 : 0.75,
      masking_ratio: 1,
      decoder_bias: false,
    },
    cappa: {},

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 3e-3,
    wd: 3e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 50,
    ckpt_epochs: 20,
    evals: {
      captions: {
        type: 'proj.cappa.perplexity',
        pred: 'perplexity',
        normalize_by_seqlen: true,
        data,
        pp_fn: `${ppImage}|${captions}|keep("image", "labels")`,
        ...common,
      },
      group: {
        type: 'proj.cappa.scoring_classifier',
        pred: 'score',
        data,
        pp_fn: `${ppImage}|keep("image", "label")`,
        pp_txt: tokens('label'),
        ...common,
      },
    },
  };
}
