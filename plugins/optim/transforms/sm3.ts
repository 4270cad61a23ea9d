import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average } from '../moments';
import { inverseRoot } from './adagrad';

export const sm3Options = z.strictObject({
  b1: z.number().min(0).max(1).default(0.9).describe('decay of the mean of updates'),
  b2: z.number().min(0).max(1).default(1).describe('decay of sums of squares'),
  eps: z.number().default(1e-8).describe('added to those sums under the root'),
});

/**
 * SM3 (arXiv:1901.11150): AdaGrad that keeps the largest sums of squares along each axis instead of all, then momentum.
 * State: nu/NAME, the momentum, and mu_AXIS/NAME, the sums: as the parameter, but 1 along other axes.
 */
export function scaleBySm3({ b1, b2, eps }: z.output<typeof sm3Options>): GradientTransform {
  /** For each axis what is to be kept of it; a scalar counts as a vector. */
  const byAxis = (x: tf.Tensor, f: (axis: number) => tf.Tensor) =>
    Object.fromEntries(
      Array.from({ length: Math.max(x.rank, 1) }, (_, axis) => [`mu_${axis}`, f(axis)] as const),
    );
  const others = (x: tf.Tensor, axis: number) => x.shape.map((_, i) => i).filter((i) => i !== axis);
  const zerosAlong = (x: tf.Tensor, axis: number) =>
    tf.zeros(x.shape.map((size, i) => (i === axis ? size : 1)));

  return leafwise({
    init: (param): Record<string, tf.Tensor> => ({
      nu: tf.zerosLike(param),
      ...byAxis(param, (axis) => zerosAlong(param, axis)),
    }),
    update(g, kept) {
      const sums = Object.values(byAxis(g, (axis) => kept[`mu_${axis}`] as tf.Tensor));
      const before = sums.reduce((a, b) => tf.minimum(a, b));
      const sum = tf.add(tf.mul(b2 === 1 ? 1 : 1 - b2, tf.square(g)), tf.mul(b2, before));
      const mean = average(b1, tf.mul(g, inverseRoot(sum, eps)), kept.nu as tf.Tensor);
      return { updates: mean, nu: mean, ...byAxis(g, (axis) => tf.max(sum, others(g, axis), true)) };
    },
  });
}
