// What the configs of FlexiViT share.

import type { ConfigInput } from '../../../core/config/schema';

/** Numbers of tokens along each side; at 240 pixels these are patches of 48, 40, 30, 24, 20, 16, 15, 12, 10 and 8 pixels. */
export const sizes = [5, 6, 8, 10, 12, 15, 16, 20, 24, 30];
export const flexi = { seqhw: { v: sizes, p: sizes.map(() => 1) } };

/** In names of evaluators. */
export const two = (size: number) => String(size).padStart(2, '0');

export const adam = {
  grad_clip_norm: 1,
  optax_name: 'scale_by_adam',
  optax: { mu_dtype: 'bfloat16' },
};

/** A student that begins as its teacher, and learns to give the same at all sizes. */
export const distillation = (teacher: Readonly<Record<string, unknown>>, model_init: string) => ({
  model_init,
  distill: {
    teachers: { prof: { model_name: 'vit', model: teacher, model_init } },
    distance: 'kl',
    distance_kw: { t: 1 },
  },
  lr: 1e-4,
  wd: 1e-5,
  schedule: { warmup_steps: 5000, decay_type: 'cosine' },
  mixup: { p: 1, keys: ['image', 'prof', 'labels'] },
});

type Evals = NonNullable<ConfigInput['evals']>;

/** An evaluator for each size, by its size. */
export function ateach(of: (size: number) => Evals): Evals {
  return Object.assign({}, ...sizes.map(of)) as Evals;
}

/** The distance of student and teacher at one size. */
export const distanceAt = (size: number, split: string, pp_fn: string) => ({
  type: 'proj.distill.distance',
  pred: `student_seqhw=${size}_prof`,
  data: { name: 'imagenet2012', split },
  pp_fn,
  log_percent: 0.05,
  distances: [
    { kind: 'kl' },
    { kind: 'logsoftmax_euclidean' },
    { kind: 'agree', k: 1 },
    { kind: 'agree', k: 5 },
  ],
});

/** ImageNet-21k: its only split, of which the beginning is held out. */
export const i21k = {
  classes: 21_843,
  loss: 'sigmoid_xent',
  parts: { test: 'full[:25_600]', val: 'full[25_600:51_200]', train: 'full[51_200:76_800]' },
  /** Training on the rest. */
  training: (pp: string, runlocal: boolean) => ({
    seed: 0,
    total_epochs: 90,
    num_classes: i21k.classes,
    init_head_bias: -10,
    loss: i21k.loss,
    input: {
      data: { name: 'imagenet21k', split: 'full[51200:]' },
      pp,
      batch_size: runlocal ? 8 : 4096,
      prefetch: 8,
    },
  }),
};
