// What the configs of distillation share: BiT-R50x1 learns from a BiT-R152x2 that was fine-tuned on the same data.

import type { ConfigInput } from '../../../core/config/schema';

/** The student, the teacher "prof_m" and its distance. Nothing is downloaded: set distill.teachers.prof_m.model_init. */
export const bitPair = (init: string, t: number) => ({
  model_name: 'bit_paper',
  model: { depth: 50, width: 1 },
  distill: {
    teachers: {
      prof_m: {
        model_name: 'bit_paper',
        model: { depth: 152, width: 2 },
        model_init: `gs://bit_models/distill/R152x2_T_${init}.npz`,
      },
    },
    distance: 'kl',
    distance_kw: { t },
  },
  // Of p 1: the weights are uniform, so that the student sees the whole range between images.
  mixup: { p: 1 },
});

export const adam = (lr: number, wd: number, warmup_steps: number) => ({
  grad_clip_norm: 1,
  optax_name: 'scale_by_adam',
  optax: { mu_dtype: 'bfloat16' },
  lr,
  wd,
  schedule: { warmup_steps, decay_type: 'cosine' },
});

type Evals = NonNullable<ConfigInput['evals']>;

/** Accuracy of the student, seldom that of the teacher, and how far they are from each other, on each part of the data. */
export function pairEvals(
  parts: Readonly<Record<string, { readonly name: string; readonly split: string; readonly pp_fn: string }>>,
  options: { readonly log_steps: number; readonly noDistance?: readonly string[] },
): Evals {
  const evals: Record<string, Evals[string]> = {};
  for (const [part, { name, split, pp_fn }] of Object.entries(parts)) {
    const data = { name, split };
    const accuracy = { type: 'classification', data, pp_fn, loss_name: 'softmax_xent' };
    evals[`student_${part}`] = { ...accuracy, pred: 'student_fwd', log_steps: options.log_steps };
    evals[`teacher_${part}`] = { ...accuracy, pred: 'prof_m_fwd', log_steps: 100_000 };
    if (options.noDistance?.includes(part)) continue;
    evals[`dist_${part}`] = {
      type: 'proj.distill.distance',
      pred: 'student_prof_m_fwd',
      data,
      pp_fn: `${pp_fn}|keep("image")`,
      log_steps: 1000,
      distances: [{ kind: 'kl' }, { kind: 'euclidean' }, { kind: 'agree', k: 1 }, { kind: 'agree', k: 5 }],
    };
  }
  return evals;
}
