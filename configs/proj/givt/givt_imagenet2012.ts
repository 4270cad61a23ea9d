// GIVT (arXiv:2312.02116), stage II on ImageNet-1k: images of a class, tokens one by one or masked.
//
//   bv train --config configs/proj/givt/givt_imagenet2012.ts:style=masked --workdir DIR
//
// As the original's it reads Imagenette, which is small and shows that it runs; for the paper's numbers set data=imagenet2012.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const sizes = {
  base: { num_decoder_layers: 12, num_heads: 12, mlp_dim: 3072, emb_dim: 768, dec_dropout_rate: 0.1 },
  default: { num_decoder_layers: 24, num_heads: 16, mlp_dim: 4096, emb_dim: 1024, dec_dropout_rate: 0.2 },
  large: { num_decoder_layers: 48, num_heads: 16, mlp_dim: 8192, emb_dim: 1536, dec_dropout_rate: 0.3 },
} as const;

const bucket = 'gs://big_vision/givt';
const finish = 'value_range(-1, 1, key="image")|copy("label", "labels")|keep("image", "labels")';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, style, model_size, runlocal, adaptor, data } = parseArg(text, {
    res: 256,
    patch_size: 16,
    style: 'ar',
    model_size: 'default',
    runlocal: false,
    // As in the original without effect.
    singlehost: false,
    adaptor: false,
    data: 'imagenette',
  });
  const masked = style === 'masked';
  // Two words of the code are one token.
  const paired = !masked && res === 512 && model_size === 'large';
  const pixel_shuffle_patch_size = [1, 2];
  const code_len = Math.floor(res / patch_size) ** 2 / (paired ? 2 : 1);
  const codeword_dim = 16;
  const out_dim = codeword_dim * (paired ? 2 : 1);
  const pp_fn = `decode|resize_small(${res}, inkey="image", outkey="image",method="bicubic", antialias=True)|central_crop(${res})|${finish}`;

  return {
    seed: 0,
    total_epochs: 500,
    input: {
      data: { name: data, split: 'train' },
      pp: `decode_jpeg_and_inception_crop(${res},area_min=80, area_max=100, ratio_min=1.0, ratio_max=1.0,method="bicubic", antialias=True)|flip_lr|${finish}`,
      batch_size: runlocal ? 4 : 8 * 1024,
    },
    log_training_steps: runlocal ? 5 : 50,
    ckpt_steps: 1000,

    model_name: 'proj.givt.givt',
    model: {
      ...sizes[model_size as keyof typeof sizes],
      ...(masked && { dec_dropout_rate: 0.4 }),
      ...(paired && { dec_dropout_rate: 0.1 }),
      ...(runlocal && { num_decoder_layers: 2 }),
      num_layers: 0,
      num_labels: 1000,
      seq_len: code_len,
      out_dim,
      num_mixtures: paired ? 32 : 16,
      posemb_type: 'learn',
      scale_tol: 1e-6,
      style,
      min_masking_rate_training: 0.3,
      mask_style: 'concat',
      drop_labels_probability: 0.1,
      fix_square_plus: true,
      per_channel_mixtures: false,
      scan: true,
      remat_policy: 'nothing_saveable',
    },
    givt: {
      stage: 2,
      vae: {
        model_name: 'proj.givt.cnn',
        model: {
          code_len,
          codeword_dim,
          filters: 128,
          num_res_blocks: 2,
          channel_multipliers: [1, 1, 2, 2, 4],
          conv_downsample: false,
          activation_fn: 'swish',
          norm_type: 'GN',
          malib_ckpt: true,
          ...(paired && { pixel_shuffle_patch_size }),
        },
        model_init: `${bucket}/vae_imagenet_2012_beta_${model_size === 'large' ? '1e-5' : '5e-5'}_params`,
      },
      adaptor: adaptor
        ? {
            num_blocks: 8,
            num_channels_bottleneck: (paired ? 8 : 4) * out_dim,
            ...(paired && { pixel_shuffle_patch_size }),
          }
        : null,
      ar_generation_config: {
        temp: paired ? 0.9 : 0.95,
        temp_probs: 1.0,
        beam_size: 1,
        fan_size: 1,
        rand_top_k: false,
        rand_top_k_temp: 1.0,
        cfg_inference_weight: paired ? 0.9 : 0.4,
      },
      masked_generation_config: {
        choice_temperature: masked && res === 512 ? 140 : 35,
        ordering: 'maskgit',
        cfg_inference_weight: 0,
        schedule: 'cosine',
      },
    },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1.0,
    lr: 1e-3,
    wd: masked ? 0 : 1e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },
    sharding_strategy: [['.*', 'fsdp(axis="data")']],
    sharding_rules: [['act_batch', ['data']]],

    evals: {
      val: {
        type: 'mean',
        pred: 'validation',
        data: { name: data, split: runlocal ? 'validation[:16]' : 'train[:4096]' },
        pp_fn,
        log_steps: runlocal ? 20 : 1000,
      },
      save_pred_sampling: {
        type: 'proj.givt.save_predictions',
        pp_fn,
        log_steps: 10_000,
        pred: 'sample',
        batch_size: 512,
        data: { name: data, split: 'validation[:512]' },
        outfile: 'inference_sampled.npz',
      },
    },
  };
}
