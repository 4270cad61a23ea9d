// How constants are printed: one element for a splat, a list for few elements, hexadecimal bytes for many.

import { type ElementType, isFloat, type Shape, sizeOf } from './types';

/** Values in host memory: the bits for 16-bit floats, 0 and 1 for i1. */
export type Literal =
  Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array | Int8Array;

/** One element: `1.0`, `-3`, `true`, `0x7F800000`. */
export function printElement(type: ElementType, value: number): string {
  if (type === 'i1') return value ? 'true' : 'false';
  if (!isFloat(type)) return String(type === 'ui32' ? value >>> 0 : Math.trunc(value));
  if (Number.isFinite(value)) return printFloat(value);
  return nonFinite[type as FloatType](value);
}

type FloatType = 'f32' | 'f64' | 'bf16' | 'f16';
const pick = (value: number, nan: string, positive: string, negative: string) =>
  Number.isNaN(value) ? nan : value > 0 ? positive : negative;
const nonFinite: Record<FloatType, (value: number) => string> = {
  f64: (v) => pick(v, '0x7FF8000000000000', '0x7FF0000000000000', '0xFFF0000000000000'),
  f32: (v) => pick(v, '0x7FC00000', '0x7F800000', '0xFF800000'),
  bf16: (v) => pick(v, '0x7FC0', '0x7F80', '0xFF80'),
  f16: (v) => pick(v, '0x7E00', '0x7C00', '0xFC00'),
};

/** MLIR wants a point in every float: `1.0`, `1.0e-07`. */
function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  const exponent = text.indexOf('e');
  const mantissa = exponent < 0 ? text : text.slice(0, exponent);
  const point = mantissa.includes('.') ? mantissa : `${mantissa}.0`;
  return exponent < 0 ? point : point + text.slice(exponent);
}

/** Above this many elements a dense constant is printed as hexadecimal bytes. */
const listLimit = 16;

/** What stands between the angle brackets of `dense<>`. */
export function printDense(type: ElementType, shape: Shape, values: Literal): string {
  const size = sizeOf(shape);
  if (values.length !== size) throw new Error(`A constant of ${size} elements got ${values.length}`);
  if (size === 0) return '';
  const splat = splatOf(values);
  const is16Bit = type === 'bf16' || type === 'f16';
  const element = (value: number) => (is16Bit ? hex16(value) : printElement(type, value));
  if (splat !== undefined) return element(splat);
  // The packing of i1 in bytes differs between versions of MLIR.
  if (size <= listLimit || type === 'i1') return nested(Array.from(values, element), shape);
  return `"0x${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex').toUpperCase()}"`;
}

const hex16 = (value: number) => `0x${value.toString(16).toUpperCase().padStart(4, '0')}`;

/** The value that all elements have, or undefined. */
export function splatOf(values: ArrayLike<number>): number | undefined {
  const first = values[0];
  if (first === undefined) return undefined;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return undefined;
  return first;
}

function nested(elements: readonly string[], shape: Shape): string {
  if (shape.length === 0) return elements[0] as string;
  if (shape.length === 1) return `[${elements.join(', ')}]`;
  const rows = shape[0] as number;
  const size = elements.length / rows;
  const inner = shape.slice(1);
  return `[${Array.from({ length: rows }, (_, i) => nested(elements.slice(i * size, (i + 1) * size), inner)).join(', ')}]`;
}
