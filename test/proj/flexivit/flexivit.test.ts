import { createHooks } from '../../../core/hooks';
import { hostArray } from '../../../core/array';
import type { Run } from '../../../core/train/run';
import * as tf from '../../../core/tensor';
import flexi from '../../../proj/flexivit';
import { pick } from '../../../proj/flexivit/draw';
import {
  resamplePatchemb,
  resamplePatchembOnHost,
  resizeMatrix,
  resizePatchemb,
} from '../../../proj/flexivit/resample';
import { useEagerCpu } from '../../support/runtimes';

test('a resize keeps constants, at the edges too', () => {
  for (const antialias of [true, false]) {
    for (const row of resizeMatrix(7, 3, antialias).to2DArray()) {
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1);
    }
  }
});

test('a resampled kernel gives resized patches the same embedding', () => {
  const kernel = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
  const patch = Float32Array.from({ length: 16 }, (_, i) => Math.cos(3 * i));
  const { data } = resamplePatchembOnHost(hostArray('float32', [4, 4, 1, 1], kernel), [7, 6]);
  const [down, across] = [resizeMatrix(4, 7, false).to2DArray(), resizeMatrix(4, 6, false).to2DArray()];
  const resized = down.flatMap((row) =>
    across.map((column) =>
      row.reduce(
        (sum, a, i) => sum + column.reduce((s, b, j) => s + a * b * (patch[4 * i + j] as number), 0),
        0,
      ),
    ),
  );
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  expect(dot(data as Float32Array, resized)).toBeCloseTo(dot(kernel, patch), 4);
});

test('sizes are drawn in proportion', () => {
  expect([0, 0.24, 0.25, 0.99].map((u) => pick([2, 4, 7], [1, 3, 0], u))).toEqual([2, 2, 4, 4]);
  expect([0, 0.5, 0.99].map((u) => pick([2, 4, 7], null, u))).toEqual([2, 4, 7]);
});

test('each step has the size of its number, and all sizes come', () => {
  const hooks = createHooks();
  flexi.apply?.(hooks, flexi.options?.parse({ seqhw: { v: [2, 4] } }) as never);
  const run = { config: { seed: 0 } } as unknown as Run;
  const sizes = Array.from({ length: 20 }, (_, i) => hooks.step.call({}, i + 1, run).seqhw);
  expect(new Set(sizes)).toEqual(new Set([2, 4]));
  expect(hooks.step.call({}, 7, run).seqhw).toBe(sizes[6]);
});

describe('ways to resize the embedding', () => {
  useEagerCpu();
  const kernel = () =>
    tf.tensor(
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      [4, 4, 1, 2],
    );
  const values = (x: tf.Tensor) => [...x.dataSync()];
  const lengths = (x: tf.Tensor) => values(tf.sqrt(tf.sum(tf.square(x), [0, 1, 2])));

  test('pi is the pseudo-inverse, and all leave the stored size as it is', () => {
    expect(values(resizePatchemb(kernel(), [6, 8], 'pi'))).toEqual(
      values(resamplePatchemb(kernel(), [6, 8])),
    );
    for (const how of ['pi', 'linear', 'area', 'norm'] as const) {
      expect(values(resizePatchemb(kernel(), [4, 4], how))).toEqual(values(kernel()));
    }
  });

  test('area keeps what a constant patch gives, norm the length of each kernel', () => {
    const sums = (x: tf.Tensor) => values(tf.sum(x, [0, 1, 2]));
    const doubled = resizePatchemb(kernel(), [8, 8], 'linear');
    expect(values(resizePatchemb(kernel(), [8, 8], 'area'))).toEqual(values(tf.mul(doubled, 0.25)));
    sums(resizePatchemb(tf.ones([4, 4, 1, 2]), [8, 8], 'area')).forEach((sum) =>
      expect(sum).toBeCloseTo(16, 4),
    );
    lengths(resizePatchemb(kernel(), [8, 6], 'norm')).forEach((length, i) => {
      expect(length).toBeCloseTo(lengths(kernel())[i] as number, 4);
    });
  });
});
