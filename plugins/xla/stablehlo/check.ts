// Shape checks. A failed check is a bug in a lowering, so the message names the operation and the types.

import { describeType, sameShape, type TensorType } from './types';

export function check(condition: boolean, op: string, message: () => string): asserts condition {
  if (!condition) throw new Error(`stablehlo.${op}: ${message()}`);
}

export function checkSameType(op: string, ...values: readonly TensorType[]): void {
  const [first, ...rest] = values as [TensorType, ...TensorType[]];
  for (const value of rest) {
    check(
      value.type === first.type && sameShape(value.shape, first.shape),
      op,
      () => `operands differ: ${values.map(describeType).join(' and ')}`,
    );
  }
}

export function checkAxes(op: string, axes: readonly number[], rank: number): void {
  check(
    new Set(axes).size === axes.length &&
      axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank),
    op,
    () => `axes [${axes.join(', ')}] don't fit rank ${rank}`,
  );
}
