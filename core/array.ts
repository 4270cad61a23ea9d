// Arrays in host memory: what data sources make, preprocessing changes, and checkpoints hold.

export type DType = 'float32' | 'int32' | 'uint8' | 'bool' | 'bfloat16' | 'float16';

/** bool is one byte of 0 or 1; bfloat16 and float16 are their bits. */
export type TypedArrayOf = {
  float32: Float32Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
  bfloat16: Uint16Array;
  float16: Uint16Array;
};

const constructors = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
} as const;

/** Names of all element types. */
export const dtypes = Object.keys(constructors) as readonly DType[];

export interface ArraySpec<D extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: D;
}

/** A dense row-major array. A class, so that it is a leaf of a tree. */
export class HostArray<D extends DType = DType> implements ArraySpec<D> {
  constructor(
    readonly dtype: D,
    readonly shape: readonly number[],
    readonly data: TypedArrayOf[D],
  ) {
    if (data.length !== sizeOf(shape)) {
      throw new Error(`${describeSpec({ dtype, shape })} holds ${sizeOf(shape)} values, got ${data.length}`);
    }
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

export function allocate<D extends DType>(dtype: D, shape: readonly number[]): HostArray<D> {
  return new HostArray(dtype, shape, new constructors[dtype](sizeOf(shape)) as TypedArrayOf[D]);
}

export function hostArray<D extends DType>(
  dtype: D,
  shape: readonly number[],
  values: ArrayLike<number>,
): HostArray<D> {
  const sameType = (values as object).constructor === constructors[dtype];
  const data = sameType ? values : new constructors[dtype](values);
  return new HostArray(dtype, shape, data as TypedArrayOf[D]);
}

/** One entry along the first axis, without that axis and without a copy. */
export function entryOf<D extends DType>({ dtype, shape, data }: HostArray<D>, index: number): HostArray<D> {
  const rest = shape.slice(1);
  const size = sizeOf(rest);
  return new HostArray(dtype, rest, data.subarray(index * size, (index + 1) * size) as TypedArrayOf[D]);
}

/** The array's memory as bytes, without a copy. */
export function bytesOf(array: HostArray): Uint8Array {
  const { buffer, byteOffset, byteLength } = array.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function fromBytes<D extends DType>(
  dtype: D,
  shape: readonly number[],
  bytes: Uint8Array,
): HostArray<D> {
  const Typed = constructors[dtype];
  const aligned = bytes.byteOffset % Typed.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const data = new Typed(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / Typed.BYTES_PER_ELEMENT,
  );
  return hostArray(dtype, shape, data);
}

export function describeSpec({ dtype, shape }: ArraySpec): string {
  return `${dtype}[${shape.join(', ')}]`;
}
