// Shape arithmetic that lowerings share.

import { util } from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Shape, Value } from '../stablehlo';
import { promote } from './promotion';

/** The axes that an attribute names, non-negative and ascending. */
export function axesOf(axis: number | readonly number[] | undefined | null, shape: Shape): number[] {
  return util.parseAxisParam(axis as number | number[], shape as number[]).sort((a, b) => a - b);
}

export const axisOf = (axis: number, shape: Shape): number => axesOf([axis], shape)[0]!;

/** NumPy's broadcast of shapes. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const dim = shape[shape.length - rank + i] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size !== 1) {
        throw new Error(`Shapes ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} don't broadcast`);
      }
      size = dim;
    }
    return size;
  });
}

/** All in one type and one shape. */
export function broadcast(...values: Value[]): Value[] {
  const promoted = promote(...values);
  const shape = broadcastShapes(...promoted.map((value) => value.shape));
  return promoted.map((value) => hlo.broadcastTo(value, shape));
}

/** Puts back, with size 1, the axes that a reduction took away. */
export function keepDims(reduced: Value, shape: Shape, axes: readonly number[]): Value {
  return hlo.reshape(
    reduced,
    shape.map((dim, i) => (axes.includes(i) ? 1 : dim)),
  );
}

/** Spreads a reduction's result over the axes that it took away. */
export function spread(reduced: Value, shape: Shape, axes: readonly number[]): Value {
  return hlo.broadcastInDim(
    reduced,
    shape,
    shape.map((_, i) => i).filter((i) => !axes.includes(i)),
  );
}

/** x combined with a plain number of its type. */
export const withScalar = (op: (a: Value, b: Value) => Value, x: Value, scalar: number): Value =>
  op(x, hlo.splatLike(x, scalar));
