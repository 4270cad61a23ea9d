// Operations that move elements without computing.

import { check, checkAxes } from './check';
import type { Value } from './graph';
import { describeType, printType, sameShape, type Shape, sizeOf } from './types';

export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  check(sizeOf(x.shape) === sizeOf(shape), 'reshape', () => `${describeType(x)} to [${shape.join(', ')}]`);
  const result = printType({ type: x.type, shape });
  return x.graph.emit(`stablehlo.reshape ${x.name} : (${x.typeText}) -> ${result}`, [x], x.type, shape);
}

/** The result's dimension i is the operand's dimension `permutation[i]`. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  checkAxes('transpose', permutation, x.shape.length);
  check(
    permutation.length === x.shape.length,
    'transpose',
    () => `[${permutation.join(', ')}] of ${describeType(x)}`,
  );
  if (permutation.every((axis, i) => axis === i)) return x;
  const shape = permutation.map((axis) => x.shape[axis] as number);
  const result = printType({ type: x.type, shape });
  const text = `stablehlo.transpose ${x.name}, dims = [${permutation.join(', ')}] : (${x.typeText}) -> ${result}`;
  return x.graph.emit(text, [x], x.type, shape);
}

/** The operand's dimension i becomes the result's dimension `axes[i]`; size 1 stretches, other axes are new. */
export function broadcastInDim(x: Value, shape: Shape, axes: readonly number[]): Value {
  if (sameShape(x.shape, shape) && axes.every((axis, i) => axis === i)) return x;
  checkAxes('broadcast_in_dim', axes, shape.length);
  check(
    axes.length === x.shape.length && axes.every((axis, i) => x.shape[i] === 1 || x.shape[i] === shape[axis]),
    'broadcast_in_dim',
    () => `${describeType(x)} at axes [${axes.join(', ')}] of [${shape.join(', ')}]`,
  );
  const result = printType({ type: x.type, shape });
  const text = `stablehlo.broadcast_in_dim ${x.name}, dims = [${axes.join(', ')}] : (${x.typeText}) -> ${result}`;
  return x.graph.emit(text, [x], x.type, shape);
}

/** NumPy's broadcasting: dimensions align at the end. */
export function broadcastTo(x: Value, shape: Shape): Value {
  const offset = shape.length - x.shape.length;
  check(offset >= 0, 'broadcast_in_dim', () => `${describeType(x)} to [${shape.join(', ')}]`);
  return broadcastInDim(
    x,
    shape,
    x.shape.map((_, i) => offset + i),
  );
}

/** Elements `start` (included) to `limit` (excluded) by `stride` of each dimension. */
export function slice(
  x: Value,
  start: readonly number[],
  limit: readonly number[],
  stride?: readonly number[],
): Value {
  const strides = stride ?? x.shape.map(() => 1);
  check(
    x.shape.every(
      (dim, i) => start[i]! >= 0 && start[i]! <= limit[i]! && limit[i]! <= dim && strides[i]! > 0,
    ),
    'slice',
    () => `[${start.join(', ')}] to [${limit.join(', ')}] by [${strides.join(', ')}] of ${describeType(x)}`,
  );
  const shape = x.shape.map((_, i) => Math.ceil((limit[i]! - start[i]!) / strides[i]!));
  if (sameShape(shape, x.shape)) return x;
  const ranges = x.shape.map((_, i) => `${start[i]}:${limit[i]}${strides[i] === 1 ? '' : `:${strides[i]}`}`);
  const result = printType({ type: x.type, shape });
  const text = `stablehlo.slice ${x.name} [${ranges.join(', ')}] : (${x.typeText}) -> ${result}`;
  return x.graph.emit(text, [x], x.type, shape);
}

/** Puts the scalar `value` before, after and between elements; negative low and high cut instead. */
export function pad(
  x: Value,
  value: Value,
  low: readonly number[],
  high: readonly number[],
  interior: readonly number[] = x.shape.map(() => 0),
): Value {
  check(
    value.type === x.type && value.shape.length === 0,
    'pad',
    () => `${describeType(x)} with ${describeType(value)}`,
  );
  if ([...low, ...high, ...interior].every((amount) => amount === 0)) return x;
  const shape = x.shape.map((dim, i) => low[i]! + high[i]! + dim + Math.max(0, dim - 1) * interior[i]!);
  check(
    shape.every((dim) => dim >= 0),
    'pad',
    () => `[${low.join(', ')}] and [${high.join(', ')}] of ${describeType(x)}`,
  );
  const result = printType({ type: x.type, shape });
  const text =
    `stablehlo.pad ${x.name}, ${value.name}, low = [${low.join(', ')}], high = [${high.join(', ')}], ` +
    `interior = [${interior.join(', ')}] : (${x.typeText}, ${value.typeText}) -> ${result}`;
  return x.graph.emit(text, [x, value], x.type, shape);
}

export function concatenate(values: readonly Value[], axis: number): Value {
  const first = values[0];
  check(first !== undefined, 'concatenate', () => 'of nothing');
  checkAxes('concatenate', [axis], first.shape.length);
  check(
    values.every(
      ({ type, shape }) =>
        type === first.type &&
        shape.length === first.shape.length &&
        shape.every((d, i) => i === axis || d === first.shape[i]),
    ),
    'concatenate',
    () => `${values.map(describeType).join(', ')} along axis ${axis}`,
  );
  if (values.length === 1) return first;
  const total = values.reduce((sum, value) => sum + value.shape[axis]!, 0);
  const shape = first.shape.map((dim, i) => (i === axis ? total : dim));
  const result = printType({ type: first.type, shape });
  const text =
    `stablehlo.concatenate ${values.map((v) => v.name).join(', ')}, dim = ${axis} : ` +
    `(${values.map((v) => v.typeText).join(', ')}) -> ${result}`;
  return first.graph.emit(text, values, first.type, shape);
}

export function reverse(x: Value, axes: readonly number[]): Value {
  checkAxes('reverse', axes, x.shape.length);
  if (axes.length === 0) return x;
  return x.graph.emit(
    `stablehlo.reverse ${x.name}, dims = [${axes.join(', ')}] : ${x.typeText}`,
    [x],
    x.type,
    x.shape,
  );
}
