// Mixup: training on weighted means of pairs of examples, in the hook `batch`.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { Batch } from '../../core/extensions';
import { definePlugin } from '../../core/plugin';
import { registerParity } from '../../core/parity/register';
import * as tf from '../../core/tensor';
import { drawWeight, mix } from './mix';
import { mixupRunners } from './parity';

export { drawWeight, mix } from './mix';

const errors = catalogue('mixup', {
  missing: (v: { name: string; known: readonly string[] }) => ({
    what: `mixup mixes the batch's "${v.name}", but the batch has only: ${v.known.join(', ')}.`,
    fix: `let input.pp keep it, leave it out of mixup.keys, or set mixup.p=0.`,
  }),
  notFloat: (v: { name: string; dtype: string }) => ({
    what: `mixup makes weighted means of the batch's "${v.name}", but it is ${v.dtype}.`,
    fix: 'make images float with value_range(-1, 1), and labels with onehot(...), in input.pp.',
  }),
});

function tensorOf(batch: Batch, name: string): tf.Tensor {
  const x = batch[name];
  if (!x) throw errors.missing({ name, known: Object.keys(batch) });
  if (x.dtype !== 'float32') throw errors.notFloat({ name, dtype: x.dtype });
  return x;
}

/**
 * mixup (Zhang et al., arXiv:1710.09412) with one weight for the whole batch, which is the same for images and labels.
 * Unlike the original, which pairs examples within each device's share of the batch, the pairs here don't depend on
 * the number of devices; on one device both are the same.
 */
export default definePlugin({
  name: 'mixup',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Mixes each example with its neighbour in the batch (arXiv:1710.09412).',
  options: z.strictObject({
    p: z
      .number()
      .min(0)
      .describe('weights are drawn from Beta(p, p), and folded to be at least 1/2; 0 is off'),
    keys: z
      .array(z.string())
      .min(1)
      .default(['image', 'labels'])
      .describe('what of the batch is mixed, all with the same weight'),
    fold_in: z.null().optional().describe("of the original's configs, where it says nothing either"),
  }),

  register({ register }) {
    registerParity(register, mixupRunners);
  },

  apply(hooks, { p, keys }) {
    if (p === 0) return;
    hooks.batch.tap('mixup', (batchFn) => (before, context) => {
      const { batch, rng } = batchFn(before, context);
      const [next, key] = tf.random.split(rng) as [tf.Tensor, tf.Tensor];
      const a = drawWeight(key, p);
      const mixed = keys.map((name) => [name, mix(a, tensorOf(batch, name))] as const);
      return { batch: { ...batch, ...Object.fromEntries(mixed) }, rng: next };
    });
  },
});
