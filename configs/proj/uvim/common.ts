// What the original's configs of UViM share. Stage I learns a code of labels, stage II to predict it from the image.

import type { ConfigInput } from '../../../core/config/schema';

/** Side of images and labels in stage II, and of their patches. */
export const res = 512;
const patch = 16;

/** For each part of the labels of a task its classes (or channels). */
export type Parts = Readonly<Record<string, number>>;

const shapesOf = (parts: Parts, patch_size: number) =>
  Object.fromEntries(Object.entries(parts).map(([name, classes]) => [name, [classes, patch_size ** 2]]));

/** ViT-B in both halves of the VQ-VAE. */
const oracle = (parts: Parts, size: number, patch_size: number) => ({
  input_size: [size, size],
  patch_size: [patch_size, patch_size],
  code_len: 256,
  width: 768,
  enc_depth: 6,
  dec_depth: 12,
  mlp_dim: 3072,
  num_heads: 12,
  dict_size: 4096,
  codeword_dim: 768,
  with_encoder_ctx: true,
  with_decoder_ctx: true,
  code_dropout: 'random',
  bottleneck_resize: true,
  inputs: shapesOf(parts, patch_size),
  outputs: shapesOf(parts, patch_size),
});

const optimizer = {
  optax_name: 'big_vision.scale_by_adafactor',
  schedule: { decay_type: 'cosine', warmup_steps: 4000 },
};

const logging = { seed: 0, log_training_steps: 50, ckpt_steps: 1000 };

/** All of stage I but its data and evaluators. */
export function stage1(options: {
  readonly parts: Parts;
  readonly res: number;
  readonly patch_size: number;
  readonly uvim: Readonly<Record<string, unknown>>;
  readonly lr: number;
  readonly wd: number;
  readonly total_epochs: number;
  readonly runlocal: boolean;
}) {
  const { parts, res: size, patch_size, uvim, lr, wd, total_epochs, runlocal } = options;
  return {
    ...logging,
    ...optimizer,
    ...(runlocal && { log_training_steps: 5 }),
    keep_ckpt_steps: 20_000,
    total_epochs,
    model_name: 'proj.uvim.vit',
    model: {
      ...oracle(parts, size, patch_size),
      dict_momentum: 0.995,
      ...(runlocal && { enc_depth: 1, dec_depth: 1 }),
    },
    uvim: { stage: 1, ...uvim, freeze_dict: false, w_commitment: 0 },
    optax: { beta2_cap: 0.95 },
    lr,
    wd,
    grad_clip_norm: 1,
  } satisfies Partial<ConfigInput>;
}

/** All of stage II but its data and evaluators. The encoder starts from ImageNet-21k, at a tenth of the learning rate. */
export function stage2(options: {
  readonly parts: Parts;
  readonly task: Readonly<Record<string, unknown>>;
  readonly model_init: string;
  readonly total_epochs: number;
}) {
  const { parts, task, model_init, total_epochs } = options;
  return {
    ...logging,
    ...optimizer,
    keep_ckpt_steps: 5000,
    total_epochs,
    model_name: 'proj.uvim.vtt',
    model: {
      num_layers: 24,
      num_heads: 16,
      mlp_dim: 4096,
      emb_dim: 1024,
      patches: { size: [patch, patch] },
      vocab_size: 4096 + 1,
      posemb_type: 'learn',
      input_size: [res, res],
      seq_len: 256,
    },
    model_init: { encoder: 'howto-i21k-L/16' },
    uvim: {
      stage: 2,
      oracle: { ...task, model_name: 'proj.uvim.vit', model: oracle(parts, res, patch), model_init },
    },
    optax: { beta2_cap: 0.95 },
    lr: 0.001,
    wd: 1e-6,
    lr_mults: [
      ['pos_embedding_encoder.*', 0.1],
      ['EmbedPatches.*', 0.1],
      ['encoder.*', 0.1],
      ['decoder.*', 1],
    ] satisfies [string, number][],
  } satisfies Partial<ConfigInput>;
}

type Data = { readonly name: string; readonly split: string };

/** Mean losses on held-out data. */
export const losses = (data: Data, pp_fn: string, log_steps: number) => ({
  type: 'proj.uvim.compute_mean',
  pred: 'validation',
  data,
  pp_fn,
  log_steps,
});

/** The same evaluator on images that were trained on, on those that were held out, and on the validation set. */
export const onThreeParts = <Rest extends object>(
  prefix: string,
  last: string,
  name: string,
  evaluator: Rest,
  splits: readonly [train: string, holdout: string, validation: string] = threeParts,
) =>
  Object.fromEntries(
    [`${prefix}_train`, `${prefix}_holdout`, last].map((key, i) => [
      key,
      { ...evaluator, data: { name, split: splits[i] as string } },
    ]),
  );
const threeParts = ['train[4096:8192]', 'train[:4096]', 'validation'] as const;

/** Arguments of stage I. */
export const stage1Args = { res: 512, patch_size: 16, runlocal: false, singlehost: false };
export const stage2Args = { runlocal: false, singlehost: false };
