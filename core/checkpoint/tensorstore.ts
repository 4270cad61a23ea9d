// The original's checkpoints since 2023: a folder with one Zarr array (version 2) for each leaf, named by its path with `~`
// for the slashes, as JAX writes them through TensorStore. Orbax writes the same with dots, if told not to use OCDBT.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { decompress as decompressZstd } from 'fzstd';
import { z } from 'zod';
import { fromBytes, type HostArray } from '../array';
import { type ArrayBlock, blocksOf, cut, type Extent, paste } from '../blocks';
import { catalogue } from '../errors';
import type { Archive } from './archive';
import { describeErrno, exists } from './files';
import {
  ArrayBuilder,
  checkMemory,
  type StoredArray,
  storedBytes,
  StoredError,
  type StoredType,
  storedType,
  storedTypeOf,
} from './stored';

const convert = (path: string) =>
  `convert it where the original runs: np.savez("out.npz", **dict(u.tree_flatten_with_names(u.load_checkpoint_ts("${path}"))[0])) with u = big_vision.utils; docs/checkpoints.md has the lines for Orbax.`;

const errors = catalogue('tensorstore', {
  ocdbt: (v: { path: string }) => ({
    what: `"${v.path}" is a key-value store of TensorStore (OCDBT), and no JavaScript library reads those.`,
    fix: convert(v.path),
  }),
  zarr3: (v: { path: string }) => ({
    what: `"${v.path}" holds Zarr arrays of version 3, and version 2 is what is read here.`,
    fix: convert(v.path),
  }),
  empty: (v: { path: string }) => ({
    what: `"${v.path}" is a folder without a checkpoint: no manifest.json, no folder "checkpoints", no Zarr arrays.`,
    fix: 'give a workdir of a run (which has checkpoints if its config says ckpt_steps or keep_ckpt_steps), or a folder checkpoint.bv-NNNNNNNNN of the original.',
  }),
  damaged: (v: { path: string; name: string; reason: string }) => ({
    what: `"${v.name}" in "${v.path}" can't be read: ${v.reason}.`,
    fix: 'copy the folder again, with all of its files.',
  }),
});

const metadataFile = '.zarray';
const maxMetadataBytes = 1 << 20;
const count = z.number().int().min(0);
const metadataSchema = z.object({
  zarr_format: z.literal(2),
  shape: z.array(count).max(64),
  chunks: z.array(count.min(1)).max(64),
  dtype: z.string(),
  order: z.enum(['C', 'F']),
  compressor: z.object({ id: z.string() }).nullable(),
  filters: z.array(z.unknown()).max(0).nullish(),
  dimension_separator: z.enum(['.', '/']).default('.'),
});

interface ZarrArray {
  readonly folder: string;
  readonly stored: StoredArray;
  readonly chunks: readonly number[];
  readonly separator: string;
  readonly decompress: Decompress;
}
/** @param size of the result, in bytes. */
type Decompress = (bytes: Buffer, size: number) => Promise<Uint8Array>;

/** An open folder of arrays. */
export class TensorstoreReader implements Archive {
  readonly form = 'tensorstore';

  private constructor(
    readonly path: string,
    /** The arrays' folders by name. */
    private readonly folders: ReadonlyMap<string, string>,
  ) {}

  /** @param location a checkpoint's folder, or what such folders begin with, where a file `...-LAST` names the newest. */
  static async open(location: string): Promise<TensorstoreReader> {
    const folder = (await lastOf(location)) ?? location;
    const inside = await fs.readdir(folder).catch(() => [] as string[]);
    if (inside.some((name) => name === 'manifest.ocdbt' || name.startsWith('ocdbt.process_')))
      throw errors.ocdbt({ path: folder });
    const has = await Promise.all(inside.map((name) => exists(path.join(folder, name, metadataFile))));
    const arrays = inside.filter((_, i) => has[i]).sort();
    if (arrays.length === 0) {
      const versions = await Promise.all(inside.map((name) => exists(path.join(folder, name, 'zarr.json'))));
      throw errors[versions.includes(true) ? 'zarr3' : 'empty']({ path: folder });
    }
    const orbax = inside.includes('_METADATA') || inside.includes('_CHECKPOINT_METADATA');
    const nameOf = (name: string) => name.replaceAll(orbax ? '.' : '~', '/');
    return new TensorstoreReader(folder, new Map(arrays.map((name) => [nameOf(name), name])));
  }

  /** Sorted. */
  get names(): readonly string[] {
    return [...this.folders.keys()];
  }

  get step(): number | undefined {
    const [, digits] = /-(\d{9,})(-tmp)?$/.exec(this.path) ?? [];
    return digits === undefined ? undefined : Number(digits);
  }

  describe(name: string): Promise<StoredArray> {
    return this.explained(name, async () => (await this.array(name)).stored);
  }

  read(name: string): Promise<HostArray> {
    return this.explained(name, async () => readArray(await this.array(name)));
  }

  /** An array is read whole. */
  async readBlocks(name: string, wanted: readonly Extent[]): Promise<readonly ArrayBlock[]> {
    return blocksOf(await this.read(name), wanted);
  }

  async *bytes(name: string): AsyncGenerator<Uint8Array> {
    const array = await this.explained(name, () => this.array(name));
    for (const index of grid(array)) {
      yield await this.explained(name, async () => (await readChunk(array, index)).bytes);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async array(name: string): Promise<ZarrArray> {
    const folder = this.folders.get(name);
    if (folder === undefined) throw new StoredError('there is none of this name');
    return readMetadata(path.join(this.path, folder));
  }

  private async explained<T>(name: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof StoredError)) throw error;
      throw errors.damaged({ path: this.path, name, reason: error.message });
    }
  }
}

/** The folder that the pointer beside it names: `checkpoint.bv-LAST` has `000000330`, or `000000330-tmp`. */
export async function lastOf(location: string): Promise<string | undefined> {
  const text = await fs.readFile(`${location}-LAST`, 'utf8').catch(() => '');
  return /^[\w-]+$/.test(text.trim()) ? `${location}-${text.trim()}` : undefined;
}

async function readMetadata(folder: string): Promise<ZarrArray> {
  const text = await readFile(path.join(folder, metadataFile), metadataFile, maxMetadataBytes);
  let metadata: z.output<typeof metadataSchema>;
  try {
    metadata = metadataSchema.parse(JSON.parse(text.toString('utf8')));
  } catch {
    throw new StoredError(`its ${metadataFile} isn't that of a Zarr array (version 2) without filters`);
  }
  const { shape, chunks, dtype, order, compressor, dimension_separator } = metadata;
  if (chunks.length !== shape.length) throw new StoredError('its shape and its chunks have different ranks');
  const type = dtype === 'bfloat16' ? (storedType('V2') as StoredType) : storedTypeOf(dtype);
  const stored: StoredArray = { type, shape, columnMajor: order === 'F' };
  if (![storedBytes(stored), storedBytes({ type, shape: chunks })].every(Number.isSafeInteger))
    throw new StoredError(`its shape (${shape.join(', ')}) or that of its chunks is impossible`);
  const id = compressor?.id ?? 'none';
  const decompress = decompressors[id];
  if (!decompress) {
    const known = Object.keys(decompressors).join(', ');
    throw new StoredError(`it is compressed with "${id}", and what can be read is ${known}`);
  }
  return { folder, stored, chunks, separator: dimension_separator, decompress };
}

/** The indices of all chunks. */
function* grid({ stored: { shape }, chunks }: ZarrArray): Generator<readonly number[]> {
  const counts = shape.map((dim, i) => Math.ceil(dim / (chunks[i] as number)));
  if (counts.includes(0)) return;
  const index = counts.map(() => 0);
  for (;;) {
    yield [...index];
    let axis = counts.length - 1;
    while (axis >= 0 && ++index[axis]! === counts[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/** The values of a chunk that are within the array, axes in the order of the bytes. */
async function readChunk(
  { folder, stored, chunks, separator, decompress }: ZarrArray,
  index: readonly number[],
): Promise<{ bytes: Uint8Array; block: readonly number[]; start: readonly number[] }> {
  const { type, shape, columnMajor } = stored;
  const size = storedBytes({ type, shape: chunks });
  checkMemory(size);
  const key = index.join(separator) || '0';
  // What doesn't compress grows a little.
  const file = await readFile(path.join(folder, key), `the chunk ${key}`, size + (size >> 3) + 4096);
  let bytes: Uint8Array;
  try {
    bytes = await decompress(file, size);
  } catch (error) {
    throw new StoredError(`the chunk ${key} is damaged (${(error as Error).message})`);
  }
  if (bytes.length !== size)
    throw new StoredError(`the chunk ${key} has ${bytes.length} bytes instead of ${size}`);
  const inBytes = <T>(axes: readonly T[]) => (columnMajor ? [...axes].reverse() : axes);
  const start = index.map((i, axis) => i * (chunks[axis] as number));
  const block = start.map((first, axis) => Math.min(chunks[axis] as number, (shape[axis] as number) - first));
  const whole = block.every((dim, axis) => dim === chunks[axis]);
  const origin = block.map(() => 0);
  return {
    bytes: whole ? bytes : cut(bytes, type.itemSize, inBytes(chunks), inBytes(block), origin),
    block: inBytes(block),
    start: inBytes(start),
  };
}

async function readArray(array: ZarrArray): Promise<HostArray> {
  const { stored } = array;
  const { type, shape, columnMajor } = stored;
  checkMemory(storedBytes(stored));
  const all = new Uint8Array(storedBytes(stored));
  const axes = columnMajor ? [...shape].reverse() : shape;
  for (const index of grid(array)) {
    const { bytes, block, start } = await readChunk(array, index);
    paste(all, bytes, type.itemSize, axes, block, start);
  }
  if (!type.read && !columnMajor) return fromBytes(type.dtype, shape, all);
  const builder = new ArrayBuilder(stored);
  builder.push(all);
  return builder.finish();
}

async function readFile(file: string, what: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await fs.stat(file);
    if (size > maxBytes) throw new StoredError(`${what} has ${size} bytes, more than ${maxBytes}`);
    return await fs.readFile(file);
  } catch (error) {
    if (error instanceof StoredError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'is missing' : describeErrno(error as NodeJS.ErrnoException);
    throw new StoredError(`${what} ${reason}`);
  }
}

const [gunzipped, inflated] = [promisify(gunzip), promisify(inflate)];

const decompressors: Readonly<Record<string, Decompress | undefined>> = {
  none: (bytes) => Promise.resolve(bytes),
  zstd: (bytes, size) => Promise.resolve(unzstd(bytes, size)),
  gzip: (bytes, size) => gunzipped(bytes, { maxOutputLength: Math.max(1, size) }),
  zlib: (bytes, size) => inflated(bytes, { maxOutputLength: Math.max(1, size) }),
};

/** No block of Zstandard, 4 bytes or more, stands for more than 128 KiB. */
const maxZstdRatio = 1 << 15;

function unzstd(bytes: Buffer, size: number): Uint8Array {
  const claimed = zstdContentSize(bytes);
  if (claimed !== size)
    throw new Error(`its frame claims ${claimed ?? 'no number of'} bytes instead of ${size}`);
  if (size > bytes.length * maxZstdRatio) throw new Error('its size is a lie');
  return decompressZstd(bytes, new Uint8Array(size));
}

/** What the first frame says about its content (RFC 8878, 3.1.1.1); whoever knows its size, as writers of chunks do, says so. */
function zstdContentSize(bytes: Buffer): number | undefined {
  if (bytes.length < 6) throw new Error('it ends within the header');
  if (bytes.readUInt32LE(0) !== 0xfd2fb528) throw new Error('it is no Zstandard frame');
  const descriptor = bytes.readUInt8(4);
  const flag = descriptor >> 6;
  const singleSegment = (descriptor >> 5) & 1;
  const at = 5 + (1 - singleSegment) + ([0, 1, 2, 4][descriptor & 3] as number);
  const length = flag === 0 ? singleSegment : 1 << flag;
  if (length === 0) return undefined;
  if (bytes.length < at + length) throw new Error('it ends within the header');
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}
