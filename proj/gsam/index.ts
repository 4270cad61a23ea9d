// SAM and GSAM: gradients that lead to flat minima (README.md).

import { across, catalogue, definePlugin, norm, plus, z, zipNamed } from '../../core';
import { registerParity } from '../../core/parity/register';
import * as tf from '../../core/tensor';
import { gsamRunners } from './parity';

const errors = catalogue('gsam', {
  schedules: (n: number) => ({ what: `GSAM follows one schedule, the config has ${n}.`, fix: 'use one.' }),
});

/**
 * Surrogate Gap Guided SAM (Zhuang et al., arXiv:2203.08065), in the hook `gradients`. It descends on the perturbed
 * loss f_p(w) = f(w + rho g/|g|), and ascends on f across g_p: that shrinks the surrogate gap f_p - f at no cost to f_p.
 */
export default definePlugin({
  name: 'gsam',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Sharpness-aware gradients, SAM and GSAM (arXiv:2203.08065).',
  options: z.strictObject({
    rho_max: z.number().describe('size of the perturbation at lr_max'),
    rho_min: z.number().describe('size of the perturbation at lr_min'),
    alpha: z.number().describe('weight of the surrogate gap: 0, with rho_max = rho_min, is SAM'),
    lr_max: z.number().optional().describe('default: config.lr'),
    lr_min: z.number().optional().describe('default: the learning rate at the end of the run'),
    adaptive_perturbation: z.boolean().default(false).describe('perturb weights in proportion to their size'),
    minimize_fp: z.boolean().default(true).describe('descend on f_p, otherwise on f'),
    eps: z.number().default(1e-12).describe('added to |g|'),
  }),
  register({ register }) {
    registerParity(register, gsamRunners(this));
  },
  apply(hooks, { rho_max, rho_min, alpha, adaptive_perturbation, minimize_fp, eps, ...rates }) {
    hooks.gradients.tap('gsam', (gradients, { config, length, update: { schedules } }) => {
      const [schedule] = schedules;
      if (!schedule || schedules.length > 1) throw errors.schedules(schedules.length);
      const { lr_max = config.lr, lr_min = config.lr * schedule.at(length.total_steps) } = rates;
      const slope = lr_max === lr_min ? 0 : (rho_max - rho_min) / (lr_max - lr_min);

      return (f, w, batch, context) => {
        const step = tf.add(context.step, tf.scalar(1, 'int32')); // The original counts from 1 here.
        const lr = tf.mul(schedule.traced(step), config.lr);
        const rho = tf.add(rho_max, tf.mul(slope, tf.sub(lr, lr_max)));

        const { grads: g, ...clean } = gradients(f, w, batch, context);
        const direction = adaptive_perturbation ? zipNamed([w, g], (a, b) => tf.mul(tf.abs(a), b)) : g;
        const w_p = plus(w, tf.div(rho, tf.add(norm(g), eps)), direction);
        const { grads: g_p, loss: f_p } = gradients(f, w_p, batch, context);

        const grads = minimize_fp ? plus(g_p, -alpha, across(g, g_p)) : plus(g, alpha, across(g_p, g));
        const metrics = { ...clean.metrics, gsam_lr: lr, gsam_rho: rho, gsam_gap: tf.sub(f_p, clean.loss) };
        return { ...clean, grads, metrics };
      };
    });
  },
});
