// The safetensors format (github.com/huggingface/safetensors): a JSON header of names, dtypes, shapes and byte ranges
// after its length (uint64, little-endian), then the arrays' bytes. Read and written array by array, so that memory
// holds no more than one.

import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { z } from 'zod';
import { allocate, bytesOf, bytesPerElement, type DType, type HostArray, sizeOf } from '../array';
import { type ArrayBlock, blocksOf, cut, type Extent, forEachRun, runLength } from '../blocks';
import { catalogue, UserError } from '../errors';
import { type Archive, type ArraySource, fileMessages } from './archive';
import { describeErrno, writeSynced } from './files';
import {
  ArrayBuilder,
  type StoredArray,
  storedBytes,
  storedType,
  StoredError,
  type StoredType,
} from './stored';

const errors = catalogue('safetensors', {
  missing: (v: { file: string; reason: string }) => ({
    what: `"${v.file}" can't be read: ${v.reason}.`,
    fix: 'check the path; files in a bucket must be downloaded first.',
  }),
  damaged: (v: { file: string; problem: string }) => ({
    what: `${v.file} is not an intact safetensors file: ${v.problem}.`,
    fix: 'copy it again from where it came, or use another checkpoint.',
  }),
  ...fileMessages,
});

const dtypeNames = {
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
  bfloat16: 'BF16',
  float16: 'F16',
} as const satisfies Record<DType, string>;

/** What files may have, by NumPy's kinds. */
const kinds: Readonly<Record<string, string>> = {
  ...{ F64: 'f8', F32: 'f4', F16: 'f2', BF16: 'V2', BOOL: 'b1' },
  ...{ I64: 'i8', I32: 'i4', I16: 'i2', I8: 'i1', U64: 'u8', U32: 'u4', U16: 'u2', U8: 'u1' },
};
const typesByName = new Map(
  Object.entries(kinds).map(([name, kind]) => [name, storedType(kind) as StoredType]),
);

/** Arrays above this are read and written in parts, so that the event loop turns between them. */
const chunkBytes = 4 << 20;
/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().min(0)),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});
const headerSchema = z.record(z.string(), z.unknown());

/** What identifies a file's content. */
export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes a file of these arrays, each read when its turn comes. The file appears when it is complete. */
export async function saveSafetensors(file: string, arrays: readonly ArraySource[]): Promise<void> {
  if (arrays.some(({ name }) => name === '__metadata__'))
    throw errors.write({ file, reason: 'the format has no arrays with the name "__metadata__"' });
  const partial = `${file}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await writeSynced(partial, (handle) => writeSafetensors(handle, arrays));
    await fs.rename(partial, file);
  } catch (error) {
    await fs.rm(partial, { force: true });
    if (error instanceof UserError) throw error;
    throw errors.write({ file, reason: describeErrno(error as NodeJS.ErrnoException) });
  }
}

/** Writes arrays in order, each read when its turn comes, and returns the digest of all that was written. */
export async function writeSafetensors(
  file: fs.FileHandle,
  arrays: readonly ArraySource[],
): Promise<FileDigest> {
  let offset = 0;
  const entries = arrays.map(({ name, spec: { dtype, shape } }) => {
    const begin = offset;
    offset += sizeOf(shape) * bytesPerElement(dtype);
    return [name, { dtype: dtypeNames[dtype], shape, data_offsets: [begin, offset] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  // Padded with spaces so that the data is aligned for every dtype.
  const header = Buffer.from(json + ' '.repeat(-(Buffer.byteLength(json) + 8) & 63));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));

  const hash = createHash('sha256');
  let bytes = 0;
  const write = async (chunk: Uint8Array) => {
    hash.update(chunk);
    await file.writeFile(chunk);
    bytes += chunk.byteLength;
  };
  await write(length);
  await write(header);
  for (const { read } of arrays) {
    const all = bytesOf(await read());
    for (let at = 0; at < all.byteLength; at += chunkBytes) await write(all.subarray(at, at + chunkBytes));
  }
  return { bytes, sha256: hash.digest('hex') };
}

interface Entry {
  readonly array: StoredArray;
  /** Where its bytes begin in the file. */
  readonly at: number;
}

/** An open file. */
export class SafetensorsReader implements Archive {
  readonly form = 'safetensors';

  private constructor(
    readonly path: string,
    private readonly file: fs.FileHandle,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** @throws UserError if there is no such file, or its header isn't sound. */
  static async open(path: string): Promise<SafetensorsReader> {
    const file = await fs.open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      throw errors.missing({ file: path, reason: describeErrno(cause) });
    });
    try {
      return new SafetensorsReader(path, file, await readHeader(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Names of the arrays, in the order of their bytes. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  describe(name: string): Promise<StoredArray> {
    return Promise.resolve(this.entry(name).array);
  }

  async read(name: string): Promise<HostArray> {
    try {
      const builder = new ArrayBuilder(this.entry(name).array);
      for await (const chunk of this.bytes(name)) builder.push(chunk);
      return builder.finish();
    } catch (error) {
      if (!(error instanceof StoredError)) throw error;
      throw errors.damaged({ file: this.path, problem: `"${name}": ${error.message}` });
    }
  }

  /** Of types that are converted, all is read; so is what lies between runs of a block that are shorter than 16 KiB. */
  async readBlocks(name: string, wanted: readonly Extent[]): Promise<readonly ArrayBlock[]> {
    const { array, at } = this.entry(name);
    const { type, shape } = array;
    if (type.read) return blocksOf(await this.read(name), wanted);
    const blocks: ArrayBlock[] = [];
    for (const extent of wanted) {
      const target = allocate(type.dtype, extent.block);
      const read = async (start: number, length: number) =>
        readExactly(this.file, at + start, length, this.path);
      await readBlock(bytesOf(target), type.itemSize, shape, extent, read);
      blocks.push({ array: target, shape, start: extent.start });
    }
    return blocks;
  }

  async *bytes(name: string): AsyncGenerator<Uint8Array> {
    const { array, at } = this.entry(name);
    const end = at + storedBytes(array);
    for (let start = at; start < end; start += chunkBytes)
      yield await readExactly(this.file, start, Math.min(chunkBytes, end - start), this.path);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    throw errors.unknownEntry({ file: this.path, entry: name, known: this.names });
  }
}

/** Shorter runs cost more to ask for than what lies between them costs to read. */
const minRunBytes = 1 << 14;

/** Fills `target` with a block of an array of which `read` gives any bytes. Holds a chunk of them at a time, or one row. */
async function readBlock(
  target: Uint8Array,
  width: number,
  shape: readonly number[],
  { start, block }: Extent,
  read: (start: number, length: number) => Promise<Uint8Array>,
): Promise<void> {
  if (target.byteLength === 0) return;
  const run = runLength(shape, block) * width;
  if (run >= minRunBytes || run === target.byteLength) {
    const runs: (readonly [whole: number, part: number])[] = [];
    forEachRun(shape, block, start, (whole, part) => runs.push([whole * width, part * width]));
    for (const [whole, part] of runs)
      for (let at = 0; at < run; at += chunkBytes)
        target.set(await read(whole + at, Math.min(chunkBytes, run - at)), part + at);
    return;
  }
  const [firstRow, ...columns] = start as [number, ...number[]];
  const [rows, ...inner] = block as [number, ...number[]];
  const [wholeRow, partRow] = [shape.slice(1), inner].map((dims) => sizeOf(dims) * width) as [number, number];
  const most = Math.max(1, Math.floor(chunkBytes / wholeRow));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    const bytes = await read((firstRow + row) * wholeRow, count * wholeRow);
    const part = cut(bytes, width, [count, ...shape.slice(1)], [count, ...inner], [0, ...columns]);
    target.set(part, row * partRow);
  }
}

/** What is in a file, in the order of the bytes. */
async function readHeader(file: fs.FileHandle, path: string): Promise<Map<string, Entry>> {
  const damaged = (problem: string) => errors.damaged({ file: path, problem });
  const { size } = await file.stat();
  if (size < 8) throw damaged(`it has ${size} bytes`);
  const length = Number((await readExactly(file, 0, 8, path)).readBigUInt64LE());
  if (length > maxHeaderBytes || length > size - 8)
    throw damaged(`its header claims ${length} bytes of ${size}`);
  let header: Record<string, unknown>;
  try {
    header = headerSchema.parse(JSON.parse((await readExactly(file, 8, length, path)).toString('utf8')));
  } catch (cause) {
    throw damaged(`its header is no JSON object (${(cause as Error).message.split('\n')[0]})`);
  }
  const dataStart = 8 + length;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const entry = entrySchema.safeParse(value);
      if (!entry.success) throw damaged(`the entry of "${name}" is malformed`);
      const { dtype, shape, data_offsets } = entry.data;
      const type = typesByName.get(dtype);
      if (!type) throw damaged(`"${name}" has the unknown dtype ${dtype}`);
      const [begin, end] = data_offsets;
      if (end - begin !== storedBytes({ type, shape }) || dataStart + end > size) {
        throw damaged(`the byte range [${begin}, ${end}) of "${name}" doesn't fit its shape or the file`);
      }
      return { name, array: { type, shape }, begin, end };
    })
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      const problem = begin < expected ? 'overlaps with another' : 'leaves a gap before it';
      throw damaged(`the byte range [${begin}, ${end}) of "${name}" ${problem}`);
    }
    expected = end;
  }
  if (dataStart + expected !== size)
    throw damaged(`it has ${size} bytes, and its header says ${dataStart + expected}`);
  return new Map(entries.map(({ name, array, begin }) => [name, { array, at: dataStart + begin }]));
}

async function readExactly(
  file: fs.FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw errors.damaged({ file: path, problem: `it ends at byte ${position + done}` });
    done += bytesRead;
  }
  return buffer;
}
