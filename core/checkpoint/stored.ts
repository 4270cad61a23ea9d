// Element types as files have them, and what becomes of their bytes: arrays in memory, or numbers one after another.

import { constrainedMemory } from 'node:process';
import { totalmem } from 'node:os';
import { type DType, type HostArray, allocate, bytesOf, fromBytes, sizeOf } from '../array';
import { fromFloat16, halfToFloat } from '../half';

/** Why bytes aren't an array that we can hold; the caller adds which file and entry. */
export class StoredError extends Error {}

export interface StoredType {
  /** As NumPy names it: `float64`. */
  readonly name: string;
  /** In memory. Integers must fit into int32; doubles are rounded to float32. */
  readonly dtype: DType;
  /** Bytes an element. */
  readonly itemSize: number;
  /** Absent where the bytes in the file are the bytes in memory. */
  readonly read?: (view: DataView, offset: number) => number;
}

/** An array in a file. */
export interface StoredArray {
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Values are in the order of columns: the first index changes fastest. */
  readonly columnMajor?: boolean;
}

export const storedBytes = ({ type, shape }: StoredArray) => sizeOf(shape) * type.itemSize;

/** Types whose memory is the same in file and array, by NumPy's kind and item size. */
const direct: Readonly<Record<string, DType>> = {
  f4: 'float32',
  f2: 'float16',
  V2: 'bfloat16', // What NumPy makes of a type that it doesn't know: JAX's bfloat16.
  i4: 'int32',
  u1: 'uint8',
  b1: 'bool',
};

/** Types that are converted on the way. */
function converted(kind: string, little: boolean): StoredType | undefined {
  const types: Readonly<Record<string, Omit<StoredType, 'itemSize'>>> = {
    f8: { name: 'float64', dtype: 'float32', read: (view, at) => view.getFloat64(at, little) },
    f4: { name: 'float32', dtype: 'float32', read: (view, at) => view.getFloat32(at, little) },
    f2: { name: 'float16', dtype: 'float16', read: (view, at) => view.getUint16(at, little) },
    i8: { name: 'int64', dtype: 'int32', read: (view, at) => Number(view.getBigInt64(at, little)) },
    u8: { name: 'uint64', dtype: 'int32', read: (view, at) => Number(view.getBigUint64(at, little)) },
    i4: { name: 'int32', dtype: 'int32', read: (view, at) => view.getInt32(at, little) },
    u4: { name: 'uint32', dtype: 'int32', read: (view, at) => view.getUint32(at, little) },
    i2: { name: 'int16', dtype: 'int32', read: (view, at) => view.getInt16(at, little) },
    u2: { name: 'uint16', dtype: 'int32', read: (view, at) => view.getUint16(at, little) },
    i1: { name: 'int8', dtype: 'int32', read: (view, at) => view.getInt8(at) },
  };
  return types[kind] && { ...types[kind], itemSize: Number(kind[1]) };
}

/** @param kind NumPy's letter and the bytes an element: `f4`. */
export function storedType(kind: string, littleEndian = true): StoredType | undefined {
  const dtype = direct[kind];
  if (dtype && littleEndian) return { name: dtype, dtype, itemSize: Number(kind[1]) };
  return converted(kind, littleEndian);
}

/** Of NumPy's type string, such as `<f4` or `|u1`. */
export function storedTypeOf(descr: string): StoredType {
  const [, order, kind] = /^([<>|=]?)([a-zA-Z]\d+)$/.exec(descr) ?? [];
  const type = kind === undefined ? undefined : storedType(kind, order !== '>');
  if (type) return type;
  throw new StoredError(
    `its type is "${descr}", and float16, float32, float64, bfloat16, integers and booleans are supported`,
  );
}

/** The bytes up to the end of the last whole element, also when pieces end within one. */
class WholeElements {
  private rest = Buffer.alloc(0);

  constructor(private readonly itemSize: number) {}

  take(chunk: Uint8Array): Buffer {
    const all = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : asBuffer(chunk);
    const whole = all.length - (all.length % this.itemSize);
    this.rest = Buffer.from(all.subarray(whole));
    return all.subarray(0, whole);
  }
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** An array of the bytes that arrive, in their order. Nothing is held beside the array. */
export class ArrayBuilder {
  private readonly array: HostArray;
  private readonly elements: WholeElements;
  private count = 0;

  constructor(private readonly stored: StoredArray) {
    const { type, shape, columnMajor } = stored;
    checkMemory(storedBytes(stored));
    this.array = allocate(type.dtype, columnMajor ? [...shape].reverse() : shape);
    this.elements = new WholeElements(type.itemSize);
  }

  push(chunk: Uint8Array): void {
    const { read, itemSize, dtype, name } = this.stored.type;
    const bytes = this.elements.take(chunk);
    const count = bytes.length / itemSize;
    if (this.count + count > this.array.data.length)
      throw new StoredError('there is more than its shape says');
    if (!read) bytesOf(this.array).set(bytes, this.count * itemSize);
    else {
      const view = viewOf(bytes);
      const integers = dtype === 'int32';
      for (let i = 0; i < count; i++) {
        const value = read(view, i * itemSize);
        if (integers && (value < -(2 ** 31) || value >= 2 ** 31))
          throw new StoredError(`the integer ${value} (${name}) doesn't fit into int32`);
        this.array.data[this.count + i] = value;
      }
    }
    this.count += count;
  }

  finish(): HostArray {
    const { length } = this.array.data;
    if (this.count !== length) throw new StoredError(`it ends after ${this.count} of ${length} values`);
    return this.stored.columnMajor ? reverseAxes(this.array) : this.array;
  }
}

/** What a file claims may deflate to much more than the file: refused before the machine runs out. */
export function checkMemory(bytes: number): void {
  const there = Math.min(totalmem(), constrainedMemory() || Infinity);
  if (bytes > there) {
    const [need, have] = [bytes, there].map((count) => (count / 2 ** 30).toFixed(1));
    throw new StoredError(`it takes ${need} GiB of memory, and ${have} GiB are all that is here`);
  }
}

/** The array with its axes in the opposite order: column-major values become row-major. */
function reverseAxes(array: HostArray): HostArray {
  const shape = [...array.shape].reverse();
  const result = allocate(array.dtype, shape);
  // The stride of each of the result's axes in the source: column-major.
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let source = 0;
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = array.data[source] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      source -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}

/** Turns bytes as they arrive into numbers, of any type exactly; 64-bit integers as the nearest doubles. */
export class NumberDecoder {
  private readonly elements: WholeElements;

  constructor(private readonly type: StoredType) {
    this.elements = new WholeElements(type.itemSize);
  }

  push(chunk: Uint8Array): ArrayLike<number> {
    const { read, itemSize, dtype } = this.type;
    const bytes = this.elements.take(chunk);
    const count = bytes.length / itemSize;
    if (!read) return numbersOf(fromBytes(dtype, [count], bytes));
    const view = viewOf(bytes);
    const values = Float64Array.from({ length: count }, (_, i) => read(view, i * itemSize));
    return dtype === 'float16' ? values.map(fromFloat16) : values;
  }
}

/** The values of an array in memory as numbers. */
function numbersOf({ dtype, data }: HostArray): ArrayLike<number> {
  return dtype === 'bfloat16' || dtype === 'float16' ? halfToFloat(dtype, data as Uint16Array) : data;
}
