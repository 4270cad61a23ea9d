// A small JetFormer of the pictures of OpenMoji and their names, in both orders.
//
//   bv train --config configs/proj/jetformer/openmoji.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';

const [resolution, patch, length, words] = [16, 4, 8, 2048];
// Numbers of a patch's token that the transformer sees.
const seen = 24;

/** The name of a picture and its end, which are seen and count; the rest is padding. */
const text =
  'choice(inkey="captions/text", outkey="text")|tok(model="openmoji", eos="no", key="text")|setdefault("eos", [1])' +
  '|masked_concat(["text", "eos"], outkey="text", text_loss=[1, 1], text_mask=[1, 0])|' +
  ['text', 'text_mask', 'text_loss']
    .map((key) => `tolen(length=${length}, pad_value=0, key="${key}")`)
    .join('|');
const pp = `resize(${resolution})|value_range(-1, 1)|flatten|${text}|keep("image", "text", "text_mask", "text_loss")`;

export default function config(arg = ''): ConfigInput {
  const { steps, batch_size } = parseArg(arg, { steps: 1000, batch_size: 32 });
  const data = { name: 'openmoji', split: 'test', size: resolution };
  return {
    header: {
      command: 'npx bv train --config configs/proj/jetformer/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, most of the time busy with other work',
      minutes: 15,
      expect: { 'test/nll_image_suffix': { max: 5.1 }, 'test/nll_text_suffix': { max: 3.8 } },
      paper: 'arXiv:2411.19722',
    },
    total_steps: steps,
    input: { data: { name: 'openmoji', split: 'train', size: resolution }, pp, batch_size },
    log_training_steps: 20,

    model_name: 'proj.jetformer.jetformer',
    model: {
      width: 96,
      depth: 3,
      mlp_dim: 256,
      num_heads: 4,
      num_kv_heads: 1,
      head_dim: 24,
      vocab_size: words + 2,
      bos_id: words,
      // The end of a text begins an image.
      boi_id: 1,
      nolabel_id: words + 1,
      untie_output_vocab: true,
      out_dim: seen,
      num_mixtures: 16,
      drop_labels_probability: 0.1,
      dropout: 0.1,
      scan: true,
    },
    jetformer: {
      patch_pca: {
        input_size: [resolution, resolution],
        patch_size: [patch, patch],
        code_len: (resolution / patch) ** 2,
        noise_std: 0,
        add_dequant_noise: true,
        skip_pca: true,
      },
      adaptor: { depth: 8, block_depth: 1, emb_dim: 64, num_heads: 4, ps: 1, kinds: ['channels'] },
      latent_noise_dim: patch * patch * 3 - seen,
      noise_scale: 16,
      input_noise_std: 0.1,
      loss_on_prefix: false,
      text_loss_weight: 0.1,
      stop_grad_nvp_prefix: true,
      sample_images: { cfg_inference_weight: 2, temperature: 0.95 },
    },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 2e-3,
    wd: 1e-4,
    wd_mults: [
      ['^decoder/layers/(attn|mlp)/.*', 1],
      ['.*/kernel$', 1],
    ],
    schedule: [
      ['.*FREEZE_ME.*', null],
      ['.*', { decay_type: 'cosine', warmup_percent: 0.1 }],
    ],

    evals: {
      test: { type: 'mean', pred: 'validation', data, pp_fn: pp, log_steps: 500, skip_first: true },
      drawn: {
        type: 'save_grid',
        pred: 'sample_images',
        data,
        pp_fn: pp,
        count: 12,
        columns: { picture: { from: 'image' }, drawn: { from: 'output/logits' } },
        log_percent: 1,
        skip_first: true,
      },
    },
  };
}
