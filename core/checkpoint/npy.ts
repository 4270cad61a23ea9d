// NumPy's array format (.npy, versions 1 to 3): a short text header and the raw values. Decoded as bytes arrive, and
// nothing is allocated for a header that lies.

import { type DType, type HostArray, sizeOf } from '../array';
import { type StoredArray, StoredError, storedBytes, storedTypeOf } from './stored';

const magic = '\x93NUMPY';
/** NumPy itself refuses longer headers: they are a sign of an attack or of another kind of file. */
const maxHeaderLength = 65_536;
const maxRank = 64;

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Parses the text of a header: a Python dict literal with `descr`, `fortran_order` and `shape`. */
export function parseNpyHeader(text: string): NpyHeader {
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const dims = /['"]shape['"]\s*:\s*\(([\d\sL,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || dims === undefined) {
    throw new StoredError(`its header can't be understood: ${JSON.stringify(text.slice(0, 120))}`);
  }
  const shape = dims
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map((dim) => Number(dim.replace(/L$/, '')));
  if (shape.length > maxRank || ![...shape, sizeOf(shape)].every(Number.isSafeInteger)) {
    throw new StoredError(`its shape (${dims.slice(0, 120)}) is impossible`);
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

/** Tells the header of one .npy from its values, in pieces of any size. */
export class NpyDecoder {
  private head = Buffer.alloc(0);
  private bodyLength = 0;
  private received = 0;
  /** Known once the header is whole. */
  array?: StoredArray;

  /** @param byteLength of the whole .npy, which its header has to agree with. */
  constructor(private readonly byteLength: number) {}

  /** The bytes of values in the next piece. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.array) return this.count(chunk);
    this.head = Buffer.concat([this.head, chunk]);
    const start = this.bodyStart();
    if (start === undefined || this.head.length < start) return Buffer.alloc(0);
    const { head } = this;
    this.head = Buffer.alloc(0);
    const header = parseNpyHeader(head.toString('utf8', head.readUInt8(6) === 1 ? 10 : 12, start));
    this.bodyLength = this.byteLength - start;
    this.array = storedArray(header, this.bodyLength);
    return this.count(head.subarray(start));
  }

  /** @throws StoredError unless all values were there. */
  finish(): void {
    if (!this.array) throw new StoredError('it ends within the header');
    if (this.received !== this.bodyLength)
      throw new StoredError(`it ends after ${this.received} of ${this.bodyLength} bytes`);
  }

  private count(bytes: Uint8Array): Uint8Array {
    this.received += bytes.length;
    if (this.received > this.bodyLength) throw new StoredError('there is more than its header says');
    return bytes;
  }

  /** Where the values start, once enough of the head is there to tell. */
  private bodyStart(): number | undefined {
    const { head } = this;
    if (head.length < 12) return undefined;
    const version = head.readUInt8(6);
    if (head.toString('latin1', 0, 6) !== magic || version < 1 || version > 3) {
      throw new StoredError("it doesn't start as an array of NumPy does");
    }
    const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
    if (length > maxHeaderLength) throw new StoredError(`its header claims ${length} bytes`);
    return (version === 1 ? 10 : 12) + length;
  }
}

function storedArray({ descr, shape, fortranOrder }: NpyHeader, bodyLength: number): StoredArray {
  const array: StoredArray = { type: storedTypeOf(descr), shape, columnMajor: fortranOrder };
  const claimed = storedBytes(array);
  if (claimed === bodyLength) return array;
  throw new StoredError(
    `its header says ${descr} of shape (${shape.join(', ')}), ${claimed} bytes, and there are ${bodyLength}`,
  );
}
