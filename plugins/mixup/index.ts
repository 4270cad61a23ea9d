// Mixup: training on weighted means of pairs of examples, in the hook `batch`.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { Batch } from '../../core/extensions';
import { definePlugin } from '../../core/plugin';
import * as tf from '../../core/tensor';

const errors = catalogue('mixup', {
  missing: (v: { name: string; known: readonly string[] }) => ({
    what: `mixup mixes the batch's "${v.name}", but the batch has only: ${v.known.join(', ')}.`,
    fix: `let input.pp end in keep("image", "labels"), or mixup.p=0.`,
  }),
  notFloat: (v: { name: string; dtype: string }) => ({
    what: `mixup makes weighted means of the batch's "${v.name}", but it is ${v.dtype}.`,
    fix: 'make images float with value_range(-1, 1), and labels with onehot(...), in input.pp.',
  }),
});

/** What is mixed. */
const names = ['image', 'labels'];

/**
 * a x + (1 - a) roll(x, 1): each example with the one before it in the batch, the first with the last.
 * x: [batch, ...]; a: scalar.
 */
export function mix(a: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const last = (x.shape[0] as number) - 1;
  const begin = x.shape.map((_, axis) => (axis === 0 ? last : 0));
  const rest = [last, ...x.shape.slice(1)];
  const rolled = tf.concat(
    [
      tf.slice(x, begin),
      tf.slice(
        x,
        begin.map(() => 0),
        rest,
      ),
    ],
    0,
  );
  return tf.add(tf.mul(a, x), tf.mul(tf.sub(1, a), rolled));
}

/** The weight of an example in its own mixture: max(a, 1 - a) with a from Beta(p, p); scalar. */
export function drawWeight(key: tf.Tensor, p: number): tf.Tensor {
  const a = tf.random.beta(key, p, p);
  return tf.maximum(a, tf.sub(1, a));
}

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
  }),

  apply(hooks, { p }) {
    if (p === 0) return;
    hooks.batch.tap('mixup', (batchFn) => (before, context) => {
      const { batch, rng } = batchFn(before, context);
      const [next, key] = tf.random.split(rng) as [tf.Tensor, tf.Tensor];
      const a = drawWeight(key, p);
      const mixed = names.map((name) => [name, mix(a, tensorOf(batch, name))] as const);
      return { batch: { ...batch, ...Object.fromEntries(mixed) }, rng: next };
    });
  },
});
