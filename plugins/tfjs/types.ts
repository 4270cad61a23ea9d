import type { DType } from '../../core/array';

/** bfloat16 and float16 are float32 here, and bytes are int32: tfjs has neither. */
export const tensorTypes: Readonly<Record<DType, 'float32' | 'int32' | 'bool'>> = {
  float32: 'float32',
  bfloat16: 'float32',
  float16: 'float32',
  int32: 'int32',
  uint8: 'int32',
  bool: 'bool',
};
