// CapPa (arXiv:2306.07915): a ViT-B/16 learns to see by captioning. COCO stands in for the data of the paper.
//
//   bv train --config configs/proj/cappa/pretrain.ts --workdir DIR
//   bv train --config configs/proj/cappa/pretrain.ts --config.model.masked_pred_prob=0 --workdir DIR   # Cap

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { fewshotLsr } from '../../common_fewshot';

const length = 64;
const ppImage = 'resize(224)|value_range(-1,1)';
const tokens = (inkey: string) =>
  `tokenize(max_len=${length}, model="c4_en", eos="sticky", inkey="${inkey}", outkey="labels")`;
const pp = `decode|${ppImage}|coco_captions("captions")|choice(inkey="captions", outkey="text")|${tokens('text')}|keep("image", "labels")`;

export default function config(text = ''): ConfigInput {
  const { runlocal, total_steps, batch_size, warmup_steps } = parseArg(text, {
    runlocal: false,
    total_steps: 366_500,
    batch_size: 8192,
    warmup_steps: 10_000,
  });
  return {
    seed: 0,
    total_steps,
    input: { data: { name: 'coco_captions', split: 'train' }, pp, batch_size: runlocal ? 8 : batch_size },
    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'proj.cappa.cappa',
    model: {
      num_layers: 12,
      num_heads: 12,
      mlp_dim: 3072,
      emb_dim: 768,
      vocab_size: 32_000,
      patches: [16, 16],
      seq_len: length,
      posemb_type: 'learn',

      decoder_num_layers: 6,
      // As the encoder.
      decoder_num_heads: 0,
      decoder_mlp_dim: 0,
      decoder_emb_dim: 0,
      dec_dropout_rate: 0,
      masked_pred_prob: 0.75,
      masking_ratio: 1,
      decoder_bias: false,
    },
    cappa: { label_smoothing: 0 },

    optax_name: 'big_vision.scale_by_adafactor',
    optax: { beta2_cap: 0.999 },
    grad_clip_norm: 1,
    lr: 0.001,
    wd: 0.0001,
    schedule: { decay_type: 'cosine', warmup_steps: runlocal ? 5 : warmup_steps },

    evals: {
      val_coco: {
        type: 'proj.cappa.perplexity',
        pred: 'perplexity',
        skip_first: true,
        log_steps: 1000,
        data: { name: 'coco_captions', split: 'val' },
        pp_fn: pp,
      },
      fewshot: {
        ...fewshotLsr({ log_steps: runlocal ? 5 : 5000 }),
        pred: 'enc_rep',
        skip_first: true,
      },
      'imagenet/scoring': {
        type: 'proj.cappa.scoring_classifier',
        pred: 'score',
        skip_first: true,
        log_percent: 0.1,
        data: { name: 'imagenet2012', split: 'validation' },
        pp_fn: `decode|${ppImage}|keep("image", "label")`,
        pp_txt: tokens('label'),
      },
    },
  };
}
