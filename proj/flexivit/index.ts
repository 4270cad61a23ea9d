// FlexiViT: training with a patch size drawn for each step (README.md).

import { z } from 'zod';
import { drawRng } from '../../core/draws';
import type { PredictFn } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { pick } from './draw';
import { flexiOptions, flexiVit } from './model';
import { flexiRunners } from './parity';

const seqhw = z
  .strictObject({
    v: z.array(z.number().int().min(1)).min(1).describe('numbers of tokens along each side'),
    p: z
      .array(z.number().min(0))
      .nullable()
      .default(null)
      .describe('how often each is drawn, in proportion; null: alike'),
  })
  .refine(({ v, p }) => p === null || (p.length === v.length && p.some((weight) => weight > 0)), {
    error: 'expected one weight in p for each value in v, and one of them above 0',
  });

/** Draws `seqhw` for each step in the hook `step`, and predicts with each value in the hook `predict`. */
export default definePlugin({
  name: 'flexi',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0', vit: '^0.1.0' },
  doc: 'FlexiViT: one ViT for all patch sizes (arXiv:2212.08013).',
  options: z.strictObject({ seqhw }),

  apply(hooks, options) {
    const { v, p } = options.seqhw;
    hooks.step.tap('flexi', (chosen, step, { config }) => ({
      ...chosen,
      seqhw: pick(v, p, drawRng(config.seed, step).uniform()),
    }));
    hooks.predict.tap('flexi', (fns, { model }) => {
      const predictAt =
        (size: number): PredictFn =>
        (params, batch) =>
          model.apply(Scope.reading(params), batch, { train: false, seqhw: size });
      return { ...fns, ...Object.fromEntries(v.map((size) => [`predict_seqhw=${size}`, predictAt(size)])) };
    });
  },

  register({ register }) {
    register('model', 'proj.flexi.vit', {
      doc: [
        'FlexiViT (arXiv:2212.08013): a ViT whose patch and position embeddings are resized in each call to seqhw tokens',
        'along each side. image: [batch, height, width, channels]. Gives logits [batch, num_classes].',
      ].join(' '),
      options: flexiOptions,
      create: flexiVit,
    });
    registerParity(register, flexiRunners);
  },
});
