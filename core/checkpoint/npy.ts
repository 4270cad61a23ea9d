// NumPy's array format (.npy, versions 1 to 3): a short text header and the raw values. Decoded as bytes arrive, so
// that memory never holds more than the array itself, and nothing is allocated for a header that lies.

import { type DType, type HostArray, allocate, bytesOf, bytesPerElement, sizeOf } from '../array';

/** Why bytes aren't an array that we can hold; the caller adds which file and entry. */
export class NpyError extends Error {}

const magic = '\x93NUMPY';
/** NumPy itself refuses longer headers: they are a sign of an attack or of another kind of file. */
const maxHeaderLength = 65_536;
const maxRank = 64;

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

interface Format {
  readonly dtype: DType;
  readonly itemSize: number;
  /** Absent where the bytes in the file are the bytes in memory. */
  readonly read?: (view: DataView, offset: number) => number;
}

const integer = (value: number | bigint): number => {
  const number = Number(value);
  if (number < -(2 ** 31) || number >= 2 ** 31)
    throw new NpyError(`the integer ${value} doesn't fit into int32`);
  return number;
};

/** Types whose memory is the same in file and array, by NumPy's kind and item size. */
const direct: Readonly<Record<string, DType>> = {
  f4: 'float32',
  f2: 'float16',
  V2: 'bfloat16', // What NumPy makes of a type that it doesn't know: JAX's bfloat16.
  i4: 'int32',
  u1: 'uint8',
  b1: 'bool',
};

/** Types that are converted on the way: integers must fit into int32, doubles are rounded to float32. */
function converted(kind: string, littleEndian: boolean): Format | undefined {
  const formats: Readonly<Record<string, Format>> = {
    f8: { dtype: 'float32', itemSize: 8, read: (view, at) => view.getFloat64(at, littleEndian) },
    f4: { dtype: 'float32', itemSize: 4, read: (view, at) => view.getFloat32(at, littleEndian) },
    f2: { dtype: 'float16', itemSize: 2, read: (view, at) => view.getUint16(at, littleEndian) },
    i8: { dtype: 'int32', itemSize: 8, read: (view, at) => integer(view.getBigInt64(at, littleEndian)) },
    u8: { dtype: 'int32', itemSize: 8, read: (view, at) => integer(view.getBigUint64(at, littleEndian)) },
    i4: { dtype: 'int32', itemSize: 4, read: (view, at) => view.getInt32(at, littleEndian) },
    u4: { dtype: 'int32', itemSize: 4, read: (view, at) => integer(view.getUint32(at, littleEndian)) },
    i2: { dtype: 'int32', itemSize: 2, read: (view, at) => view.getInt16(at, littleEndian) },
    u2: { dtype: 'int32', itemSize: 2, read: (view, at) => view.getUint16(at, littleEndian) },
    i1: { dtype: 'int32', itemSize: 1, read: (view, at) => view.getInt8(at) },
  };
  return formats[kind];
}

function formatOf(descr: string): Format {
  const [, order, kind] = /^([<>|=]?)([a-zA-Z]\d+)$/.exec(descr) ?? [];
  if (kind !== undefined) {
    const dtype = direct[kind];
    if (dtype && order !== '>') return { dtype, itemSize: bytesPerElement(dtype) };
    const format = converted(kind, order !== '>');
    if (format) return format;
  }
  throw new NpyError(
    `its type is "${descr}", and float16, float32, float64, bfloat16, integers and booleans are supported`,
  );
}

/** Parses the text of a header: a Python dict literal with `descr`, `fortran_order` and `shape`. */
export function parseNpyHeader(text: string): NpyHeader {
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const dims = /['"]shape['"]\s*:\s*\(([\d\sL,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || dims === undefined) {
    throw new NpyError(`its header can't be understood: ${JSON.stringify(text.slice(0, 120))}`);
  }
  const shape = dims
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map((dim) => Number(dim.replace(/L$/, '')));
  if (shape.length > maxRank || !Number.isSafeInteger(sizeOf(shape))) {
    throw new NpyError(`its shape (${dims.slice(0, 120)}) is impossible`);
  }
  return { descr, fortranOrder: order === 'True', shape };
}

const descrOf: Readonly<Record<DType, string>> = {
  float32: '<f4',
  int32: '<i4',
  uint8: '|u1',
  bool: '|b1',
  bfloat16: '|V2',
  float16: '<f2',
};

/** The header of an array as NumPy writes it: version 1.0, padded so that the values start at a multiple of 64. */
export function npyHeader({ dtype, shape }: Pick<HostArray, 'dtype' | 'shape'>): Buffer {
  const dims = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${descrOf[dtype]}', 'fortran_order': False, 'shape': ${dims}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, ' ', 'latin1');
  header.write(`${magic}\x01\x00`, 0, 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(dict, 10, 'latin1');
  header.write('\n', length - 1, 'latin1');
  return header;
}

/** Takes the bytes of one .npy in pieces of any size. */
export class NpyDecoder {
  private head = Buffer.alloc(0);
  private body?: Body;

  /** @param byteLength of the whole .npy: an array is made only if its header agrees with it. */
  constructor(private readonly byteLength: number) {}

  push(chunk: Uint8Array): void {
    if (this.body) return this.body.push(chunk);
    this.head = Buffer.concat([this.head, chunk]);
    const start = this.bodyStart();
    if (start === undefined || this.head.length < start) return;
    const text = this.head.toString('utf8', this.head.readUInt8(6) === 1 ? 10 : 12, start);
    this.body = new Body(parseNpyHeader(text), this.byteLength - start);
    const rest = this.head.subarray(start);
    this.head = Buffer.alloc(0);
    this.body.push(rest);
  }

  finish(): HostArray {
    if (!this.body) throw new NpyError('it ends within the header');
    return this.body.finish();
  }

  /** Where the values start, once enough of the head is there to tell. */
  private bodyStart(): number | undefined {
    const { head } = this;
    if (head.length < 12) return undefined;
    const version = head.readUInt8(6);
    if (head.toString('latin1', 0, 6) !== magic || version < 1 || version > 3) {
      throw new NpyError("it doesn't start as an array of NumPy does");
    }
    const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
    if (length > maxHeaderLength) throw new NpyError(`its header claims ${length} bytes`);
    return (version === 1 ? 10 : 12) + length;
  }
}

/** The values of one array, written where they belong as they come. */
class Body {
  private readonly format: Format;
  private readonly array: HostArray;
  private received = 0;
  /** The start of a value that was cut by the end of a piece. */
  private carry = new Uint8Array(0);

  constructor(
    private readonly header: NpyHeader,
    private readonly byteLength: number,
  ) {
    const { descr, shape, fortranOrder } = header;
    this.format = formatOf(descr);
    const size = sizeOf(shape);
    if (size * this.format.itemSize !== byteLength) {
      throw new NpyError(
        `its header says ${descr} of shape (${shape.join(', ')}), ${size * this.format.itemSize} bytes, and there are ${byteLength}`,
      );
    }
    this.array = allocate(this.format.dtype, fortranOrder ? [...shape].reverse() : shape);
  }

  push(chunk: Uint8Array): void {
    if (this.received + chunk.length > this.byteLength)
      throw new NpyError('there is more than its header says');
    if (this.format.read) this.convert(chunk, this.format.read);
    else bytesOf(this.array).set(chunk, this.received);
    this.received += chunk.length;
  }

  private convert(chunk: Uint8Array, read: NonNullable<Format['read']>): void {
    const { itemSize } = this.format;
    const bytes = this.carry.length > 0 ? Buffer.concat([this.carry, chunk]) : chunk;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = (this.received - this.carry.length) / itemSize;
    const whole = Math.floor(bytes.length / itemSize);
    for (let i = 0; i < whole; i++) this.array.data[first + i] = read(view, i * itemSize);
    this.carry = Uint8Array.from(bytes.subarray(whole * itemSize));
  }

  finish(): HostArray {
    if (this.received !== this.byteLength) {
      throw new NpyError(`it ends after ${this.received} of ${this.byteLength} bytes`);
    }
    return this.header.fortranOrder ? reverseAxes(this.array) : this.array;
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
