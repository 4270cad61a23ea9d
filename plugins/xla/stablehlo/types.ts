// Element types and tensor types, as StableHLO names and prints them.

export type ElementType =
  'i1' | 'i8' | 'i16' | 'i32' | 'i64' | 'ui8' | 'ui16' | 'ui32' | 'ui64' | 'f16' | 'bf16' | 'f32' | 'f64';

export type Shape = readonly number[];

export interface TensorType {
  readonly type: ElementType;
  readonly shape: Shape;
}

/** `tensor<8x197x384xf32>`. */
export function printType({ type, shape }: TensorType): string {
  return shape.length === 0 ? `tensor<${type}>` : `tensor<${shape.join('x')}x${type}>`;
}

/** For people: `f32[8, 197, 384]`. */
export const describeType = ({ type, shape }: TensorType): string => `${type}[${shape.join(', ')}]`;

export const sizeOf = (shape: Shape): number => {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
};

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export const isFloat = (type: ElementType): boolean =>
  type === 'f32' || type === 'bf16' || type === 'f16' || type === 'f64';

export const isUnsigned = (type: ElementType): boolean => type.startsWith('ui');
