// Element types, named as in StableHLO (`f32`, `ui8`, `i1`), with what PJRT and JavaScript call them.

interface Facts {
  /** Bytes of one element on the host. */
  readonly bytes: number;
  /** Its place in the enum PJRT_Buffer_Type. */
  readonly pjrt: number;
  /** Its name in that enum. */
  readonly pjrtName: string;
  /** Holds its values on the host; `Uint16Array` has the bits of the 16-bit floats. */
  readonly array: HostArrayConstructor;
}

type HostArrayConstructor =
  | Uint8ArrayConstructor
  | Int8ArrayConstructor
  | Uint16ArrayConstructor
  | Int16ArrayConstructor
  | Uint32ArrayConstructor
  | Int32ArrayConstructor
  | BigUint64ArrayConstructor
  | BigInt64ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor;

export type HostArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export const elementTypes = {
  i1: { bytes: 1, pjrt: 1, pjrtName: 'PRED', array: Uint8Array },
  i8: { bytes: 1, pjrt: 2, pjrtName: 'S8', array: Int8Array },
  i16: { bytes: 2, pjrt: 3, pjrtName: 'S16', array: Int16Array },
  i32: { bytes: 4, pjrt: 4, pjrtName: 'S32', array: Int32Array },
  i64: { bytes: 8, pjrt: 5, pjrtName: 'S64', array: BigInt64Array },
  ui8: { bytes: 1, pjrt: 6, pjrtName: 'U8', array: Uint8Array },
  ui16: { bytes: 2, pjrt: 7, pjrtName: 'U16', array: Uint16Array },
  ui32: { bytes: 4, pjrt: 8, pjrtName: 'U32', array: Uint32Array },
  ui64: { bytes: 8, pjrt: 9, pjrtName: 'U64', array: BigUint64Array },
  f16: { bytes: 2, pjrt: 10, pjrtName: 'F16', array: Uint16Array },
  f32: { bytes: 4, pjrt: 11, pjrtName: 'F32', array: Float32Array },
  f64: { bytes: 8, pjrt: 12, pjrtName: 'F64', array: Float64Array },
  bf16: { bytes: 2, pjrt: 13, pjrtName: 'BF16', array: Uint16Array },
} as const satisfies Record<string, Facts>;

export type ElementType = keyof typeof elementTypes;

const byNumber = new Map<number, ElementType>(
  (Object.keys(elementTypes) as ElementType[]).map((name) => [elementTypes[name].pjrt, name]),
);

/** @throws TypeError for a type that we have no host representation of (complex, 8-bit floats and smaller). */
export function elementTypeOf(pjrt: number): ElementType {
  const name = byNumber.get(pjrt);
  if (!name) throw new TypeError(`PJRT_Buffer_Type ${pjrt} is not an element type that we handle`);
  return name;
}

const elementsOf = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1);

/** Bytes of a dense array on the host. */
export const bytesOf = (type: ElementType, dims: readonly number[]) =>
  elementTypes[type].bytes * elementsOf(dims);

/** A zeroed host array for a buffer of this type and shape. */
export const hostArray = (type: ElementType, dims: readonly number[]): HostArray =>
  new elementTypes[type].array(elementsOf(dims));
