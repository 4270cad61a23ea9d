// GIVT (arXiv:2312.02116), stage II for depth: the tokens of the VAE's depth map from the image.
//
//   bv train --config configs/proj/givt/givt_nyu_depth.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { binned, crop, flip, name, range, sizes, vae } from './depth';

const res = 512;
const patch_size = 16;

const encoders = {
  base: { num_layers: 12, num_decoder_layers: 12, num_heads: 12, mlp_dim: 3072, emb_dim: 768 },
  large: { num_layers: 24, num_decoder_layers: 24, num_heads: 16, mlp_dim: 4096, emb_dim: 1024 },
};

export default function config(text = ''): ConfigInput {
  // As in the original, split and singlehost have no effect.
  const { runlocal } = parseArg(text, { split: 'sweep', runlocal: false, singlehost: false });
  const labels = `${sizes(res)}|${binned}|value_range(-1,1)|copy("image", "cond_image")|copy("labels", "image")|keep("image", "cond_image")`;
  const predict = `decode|nyu_depth|nyu_eval_crop|copy("labels","ground_truth")|resize(${res})|value_range(-1,1)|copy("image", "cond_image")|strong_hash(inkey="tfds_id", outkey="image/id")|keep("cond_image", "ground_truth", "image/id")`;
  const part = (split: string) => ({ name, split: runlocal ? 'validation[:4]' : split });
  return {
    seed: 0,
    total_epochs: 50,
    input: {
      data: { name, split: 'train' },
      pp: `decode|nyu_depth|${flip}|${crop}|${labels}`,
      batch_size: runlocal ? 4 : 512,
    },
    log_training_steps: 50,
    ckpt_steps: 1000,

    model_name: 'proj.givt.givt',
    model: {
      ...encoders[runlocal ? 'base' : 'large'],
      patches: [patch_size, patch_size],
      input_size: [res, res],
      posemb_type: 'learn',
      seq_len: 256,
      num_labels: null,
      num_mixtures: 1,
      fix_square_plus: true,
      out_dim: 16,
      scale_tol: 1e-6,
      dec_dropout_rate: 0,
    },
    ...(!runlocal && { model_init: { encoder: 'howto-i21k-L/16' } }),
    model_load: { dont_load: ['cls', 'head/bias', 'head/kernel'] },
    givt: {
      stage: 2,
      vae: {
        model_name: 'proj.givt.vit',
        model: vae(res, patch_size),
        model_init: 'gs://big_vision/givt/vae_nyu_depth_params.npz',
      },
      ar_generation_config: {
        temp: 0.9,
        temp_probs: 1.0,
        beam_size: 2,
        fan_size: 8,
        rand_top_k: false,
        rand_top_k_temp: 1.0,
      },
      ...range,
    },

    optax_name: 'big_vision.scale_by_adafactor',
    optax: { beta2_cap: 0.95 },
    lr: 1e-3,
    wd: 1e-6,
    lr_mults: [
      ['pos_embedding_encoder.*', 0.1],
      ['EmbedPatches.*', 0.1],
      ['encoder.*', 0.1],
      ['decoder.*', 1],
    ],
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: part('validation'),
        pp_fn: `decode|nyu_depth|nyu_eval_crop|${labels}`,
        log_steps: runlocal ? 20 : 250,
      },
      nyu_depth_val: {
        type: 'proj.givt.nyu_depth',
        data: part('validation'),
        pp_fn: predict,
        pred: 'sample_depth',
        log_steps: 2000,
        ...range,
      },
      save_pred: {
        type: 'proj.givt.save_predictions',
        data: part('validation[:128]'),
        pp_fn: predict,
        pred: 'sample_depth',
        log_steps: 100_000,
        outfile: 'inference.npz',
      },
    },
  };
}
