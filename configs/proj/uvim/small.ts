// What the configs of UViM that run here in minutes share: a code of 9 words out of 128.

import type { ConfigInput } from '../../../core/config/schema';

const code_len = 9;
const dict_size = 128;

/** For each part of the labels of a task its classes (or channels). */
type Parts = Readonly<Record<string, number>>;
type Task = Readonly<Record<string, unknown>>;

/** Sides of pictures and of patches, in pixels. */
interface Layout {
  readonly size: number;
  readonly patch: number;
}

const oracle = (parts: Parts, { size, patch }: Layout) => {
  const shapes = Object.fromEntries(
    Object.entries(parts).map(([name, classes]) => [name, [classes, patch ** 2]]),
  );
  return {
    input_size: [size, size],
    patch_size: [patch, patch],
    code_len,
    dict_size,
    codeword_dim: 32,
    width: 96,
    enc_depth: 1,
    dec_depth: 2,
    mlp_dim: 192,
    num_heads: 4,
    with_encoder_ctx: true,
    with_decoder_ctx: true,
    code_dropout: 'random',
    bottleneck_resize: true,
    inputs: shapes,
    outputs: shapes,
  };
};

const optimizer = {
  optax_name: 'scale_by_adam',
  optax: { b2: 0.95 },
  grad_clip_norm: 1,
  wd: 1e-4,
  schedule: { decay_type: 'cosine', warmup_percent: 0.1 },
  log_training_steps: 50,
  ckpt_percent: 0.25,
};

/** Stage I but for its data and evaluators. */
export const smallStage1 = (task: Task, parts: Parts, layout: Layout) =>
  ({
    ...optimizer,
    lr: 3e-3,
    model_name: 'proj.uvim.vit',
    model: { ...oracle(parts, layout), dict_momentum: 0.99 },
    uvim: { stage: 1, ...task, freeze_dict: false, w_commitment: 0 },
  }) satisfies Partial<ConfigInput>;

/** Stage II but for its data and evaluators. */
export const smallStage2 = (task: Task, parts: Parts, layout: Layout, workdirOfStage1: string) =>
  ({
    ...optimizer,
    lr: 2e-3,
    model_name: 'proj.uvim.vtt',
    model: {
      num_layers: 2,
      num_heads: 4,
      mlp_dim: 192,
      emb_dim: 96,
      patches: { size: [layout.patch, layout.patch] },
      input_size: [layout.size, layout.size],
      vocab_size: dict_size + 1,
      seq_len: code_len,
    },
    uvim: {
      stage: 2,
      oracle: {
        ...task,
        model_name: 'proj.uvim.vit',
        model: oracle(parts, layout),
        model_init: workdirOfStage1,
      },
    },
  }) satisfies Partial<ConfigInput>;

/** Evaluators see held-out data four times in a run. */
export const quarterly = { log_percent: 0.25, skip_first: true };

/** The words of labels are learned, so that predictions of stage I and II are compared by what they mean. */
export const held = (data: Readonly<Record<string, unknown>> & { readonly name: string }, pp_fn: string) => ({
  val: { type: 'proj.uvim.compute_mean', pred: 'validation', data, pp_fn, ...quarterly },
});
