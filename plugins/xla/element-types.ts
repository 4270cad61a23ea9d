// tfjs's dtypes, our host arrays' dtypes, and StableHLO's element types. tfjs knows float32, int32 and bool; a tensor's
// element type is its record's: what tfjs calls float32 may be stored as bf16, what it calls int32 as ui8.

import type { DataType } from '@tensorflow/tfjs-core';
import type { DType } from '../../core/array';
import { errors } from './errors';
import type { ElementType } from './stablehlo';

const ofDType = {
  float32: 'f32',
  int32: 'i32',
  uint8: 'ui8',
  bool: 'i1',
  bfloat16: 'bf16',
  float16: 'f16',
} as const satisfies Record<DType, ElementType>;

export const elementTypeOfArray = (dtype: DType): ElementType => ofDType[dtype];

/** @throws UserError for string and complex64. */
export function elementTypeOfTensor(dtype: DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return ofDType[dtype];
  if (dtype === 'string') throw errors.stringTensor();
  throw errors.unloweredKernel({ kernel: dtype, reason: 'there are no complex numbers' });
}

/** What tfjs calls a tensor of this element type. */
export function tensorDType(type: ElementType): 'float32' | 'int32' | 'bool' {
  if (type === 'i1') return 'bool';
  return type.includes('f') ? 'float32' : 'int32';
}

const dtypes = new Map<ElementType, DType>(
  Object.entries(ofDType).map(([dtype, type]) => [type, dtype as DType]),
);

export function arrayDType(type: ElementType): DType {
  const dtype = dtypes.get(type);
  if (!dtype) throw new Error(`No host array holds ${type}`);
  return dtype;
}
