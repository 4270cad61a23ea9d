// Position embeddings.

import { type HostArray, hostArray } from '../../core/array';
import { normal } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import { catalogue } from '../../core/errors';
import * as tf from '../../core/tensor';
import { toFloat32 } from '../../core/half';

const errors = catalogue('vit', {
  posembGrid: (v: { shape: readonly number[]; expected: readonly number[] }) => ({
    what: `Position embeddings of shape [${v.shape.join(', ')}] can't be resampled to [${v.expected.join(', ')}]: both must be square grids of the same width.`,
    fix: 'use square images, or add "pos_embedding" to model_load.dont_load.',
  }),
});

type Grid = readonly [rows: number, columns: number];

/**
 * Fixed embedding of a grid, as MoCo v3 has it (arXiv:2104.02057): sines and cosines of the column, then of the row,
 * at width / 4 frequencies from 1 down to 1 / temperature.
 * @returns float32 [1, rows * columns, width]
 */
export function posembSincos2d([rows, columns]: Grid, width: number, temperature = 10_000): tf.Tensor {
  const count = width / 4;
  const frequencies = Array.from({ length: count }, (_, k) => 1 / temperature ** (k / (count - 1)));
  // [length, 2 * count]; rows and columns repeat each other's table, so that each sine is computed once.
  const table = (length: number) => {
    const angles = tf.mul(tf.reshape(tf.range(0, length), [length, 1]), tf.tensor(frequencies, [1, count]));
    return tf.concat([tf.sin(angles), tf.cos(angles)], 1);
  };
  const grid = [rows, columns, 2 * count];
  const ofColumn = tf.broadcastTo(tf.reshape(table(columns), [1, columns, 2 * count]), grid);
  const ofRow = tf.broadcastTo(tf.reshape(table(rows), [rows, 1, 2 * count]), grid);
  return tf.reshape(tf.concat([ofColumn, ofRow], 2), [1, rows * columns, width]);
}

export interface PosembOptions {
  readonly type: 'learn' | 'sincos2d';
  readonly grid: Grid;
  readonly width: number;
  /** How a learned embedding is stored, or a fixed one computed. */
  readonly dtype?: tf.StorageType;
  /** Name of the parameter. Default: `pos_embedding`. */
  readonly name?: string;
}

/**
 * The embedding of a grid of tokens. Parameter for `learn`: `pos_embedding` [1, rows * columns, width].
 * @returns float [1, rows * columns, width]
 */
export function posemb(
  scope: Scope,
  { type, grid, width, dtype = 'float32', name = 'pos_embedding' }: PosembOptions,
): tf.Tensor {
  const shape = [1, grid[0] * grid[1], width];
  if (type === 'learn') return scope.param(name, shape, normal(1 / Math.sqrt(width)), dtype);
  if (width % 4 !== 0 || width < 8) {
    throw scope.shapeError(
      `sincos2d needs a width that is a multiple of 4 and at least 8, and the width is ${width}`,
      'change width, or use posemb "learn".',
    );
  }
  return tf.castStorage(posembSincos2d(grid, width), dtype);
}

/**
 * Fits learned embeddings to another resolution: bilinear, with the corners of both square grids aligned.
 *
 * As with the original's scipy.ndimage.zoom(order=1), where rounding puts the last point beyond the grid (for instance from
 * 28 x 28 to 14 x 14) it is outside, and zeros.
 * @param old [1, n^2, width]
 * @param shape [1, m^2, width]
 * @returns float32 of `shape`
 */
export function resamplePosemb(old: HostArray, shape: readonly number[]): HostArray {
  if (old.shape.join() === shape.join()) return old;
  const [, length = 0, width = 0] = old.shape;
  const from = Math.round(Math.sqrt(length));
  const to = Math.round(Math.sqrt(shape[1] ?? 0));
  if (old.shape.length !== 3 || from * from !== length || [1, to * to, width].join() !== shape.join()) {
    throw errors.posembGrid({ shape: old.shape, expected: shape });
  }
  const source = toFloat32(old).data;
  const result = new Float32Array(to * to * width);
  const scale = to > 1 ? (from - 1) / (to - 1) : 0;
  const taps = Array.from({ length: to }, (_, i) => {
    const at = i * scale;
    const low = Math.min(Math.floor(at), Math.max(0, from - 2));
    return { low, high: Math.min(low + 1, from - 1), weight: at - low, inside: at <= from - 1 };
  });
  let next = 0;
  for (const row of taps) {
    for (const column of taps) {
      const at = (r: number, c: number, d: number) => source[(r * from + c) * width + d] as number;
      for (let d = 0; d < width; d++) {
        const top =
          at(row.low, column.low, d) * (1 - column.weight) + at(row.low, column.high, d) * column.weight;
        const bottom =
          at(row.high, column.low, d) * (1 - column.weight) + at(row.high, column.high, d) * column.weight;
        const inside = row.inside && column.inside;
        result[next++] = inside ? top * (1 - row.weight) + bottom * row.weight : 0;
      }
    }
  }
  return hostArray('float32', shape, result);
}
