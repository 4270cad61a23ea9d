// NumPy's archives (.npz): a zip of .npy files, one an array, named by slash-joined keys. Public Big Vision
// checkpoints and the recorded parity cases come in this form. Reading is lazy (the directory first, then the arrays
// that are asked for) and streamed, so memory holds the arrays and little else.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { ZipFile } from 'yazl';
import { type HostArray, bytesOf, bytesPerElement, sizeOf } from '../array';
import { type ArrayBlock, blocksOf, type Extent } from '../blocks';
import { UserError, catalogue } from '../errors';
import { type NestedRecord, type Tree, namedLeaves } from '../tree';
import { type Archive, type ArraySource, fileMessages, sourcesOf } from './archive';
import { NpyDecoder, npyHeader } from './npy';
import { ArrayBuilder, type StoredArray, StoredError } from './stored';

const errors = catalogue('npz', {
  missing: (v: { file: string }) => ({
    what: `There is no file "${v.file}".`,
    fix: 'check the path; files in a bucket must be downloaded first.',
  }),
  notNpz: (v: { file: string; reason: string }) => ({
    what: `"${v.file}" is not a .npz archive, or is cut short: ${v.reason}.`,
    fix: 'copy or download the file again, and compare its size with the original.',
  }),
  entry: (v: { file: string; entry: string; reason: string }) => ({
    what: `"${v.entry}" in "${v.file}" can't be read: ${v.reason}.`,
    fix: 'copy or download the file again; if that changes nothing, write it anew with numpy.savez.',
  }),
  ...fileMessages,
});

const suffix = '.npy';
/** Deflate shrinks by no more than this, so a file can't make us allocate more than this times its size. */
const maxRatio = 1032;
const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

/** An open archive. */
export class NpzReader implements Archive {
  readonly form = 'npz';

  private constructor(
    readonly path: string,
    private readonly zip: yauzl.ZipFile,
    private readonly entries: ReadonlyMap<string, yauzl.Entry>,
  ) {}

  /** @throws UserError if there is no such file, or it isn't an archive of arrays. */
  static async open(file: string): Promise<NpzReader> {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) throw errors.missing({ file });
    const zip = await yauzl
      .openPromise(file, { lazyEntries: true, autoClose: false })
      .catch((error: unknown) => Promise.reject(errors.notNpz({ file, reason: reasonOf(error) })));
    // Errors reach us through the calls that they fail; without a listener they would also end the process.
    zip.on('error', () => undefined);
    try {
      return new NpzReader(file, zip, await readDirectory(zip, file, found.size));
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  /** Names of the arrays, in the file's order. */
  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  describe(name: string): Promise<StoredArray> {
    return this.explained(name, async (entry) => {
      for await (const { array } of pieces(this.zip, entry)) return array;
      throw new StoredError('it ends within the header');
    });
  }

  read(name: string): Promise<HostArray> {
    return this.explained(name, async (entry) => {
      let builder: ArrayBuilder | undefined;
      for await (const { array, bytes } of pieces(this.zip, entry)) {
        builder ??= new ArrayBuilder(array);
        builder.push(bytes);
      }
      return (builder as ArrayBuilder).finish();
    });
  }

  /** An array is inflated from its beginning, and so read whole. */
  async readBlocks(name: string, wanted: readonly Extent[]): Promise<readonly ArrayBlock[]> {
    return blocksOf(await this.read(name), wanted);
  }

  async *bytes(name: string): AsyncGenerator<Uint8Array> {
    const stream = pieces(this.zip, this.entryOf(name));
    for (;;) {
      const { done, value } = await this.explained(name, () => stream.next());
      if (done) return;
      yield value.bytes;
    }
  }

  private entryOf(name: string): yauzl.Entry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    throw errors.unknownEntry({ file: this.path, entry: name, known: this.names });
  }

  /** What goes wrong with an entry as an error that names it. */
  private async explained<T>(name: string, run: (entry: yauzl.Entry) => Promise<T>): Promise<T> {
    const entry = this.entryOf(name);
    try {
      return await run(entry);
    } catch (error) {
      throw errors.entry({ file: this.path, entry: name, reason: reasonOf(error) });
    }
  }

  async close(): Promise<void> {
    if (!this.zip.isOpen) return;
    const closed = once(this.zip, 'close');
    this.zip.close();
    await closed;
  }
}

/** The values of an entry as they are inflated, and what they are of: at least once, and checked at the end. */
async function* pieces(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
): AsyncGenerator<{ readonly array: StoredArray; readonly bytes: Uint8Array }> {
  if (!entry.canDecodeFileData()) throw new StoredError('it is encrypted or compressed in an unknown way');
  if (entry.uncompressedSize > entry.compressedSize * maxRatio) throw new StoredError('its size is a lie');
  const decoder = new NpyDecoder(entry.uncompressedSize);
  let checksum = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    checksum = crc32(chunk as Buffer, checksum);
    const bytes = decoder.push(chunk as Buffer);
    if (decoder.array) yield { array: decoder.array, bytes };
  }
  if (checksum !== entry.crc32) throw new StoredError('its checksum is wrong, so the file is damaged');
  decoder.finish();
}

async function readDirectory(
  zip: yauzl.ZipFile,
  file: string,
  fileSize: number,
): Promise<Map<string, yauzl.Entry>> {
  const entries = new Map<string, yauzl.Entry>();
  let compressed = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      compressed += entry.compressedSize;
      if (compressed > fileSize) throw new StoredError('its entries claim more bytes than it has');
      if (!entry.fileName.endsWith(suffix)) continue;
      const name = entry.fileName.slice(0, -suffix.length);
      if (entries.has(name)) throw new StoredError(`it has "${name}" twice`);
      if (name.split('/').includes('__proto__')) throw new StoredError(`it has the name "${name}"`);
      entries.set(name, entry);
    }
  } catch (error) {
    throw errors.notNpz({ file, reason: reasonOf(error) });
  }
  if (entries.size === 0) throw errors.notNpz({ file, reason: 'it holds no arrays (.npy)' });
  return entries;
}

/** The arrays whose names `wanted` accepts (all of them, without it), by name. */
export async function readNpz(
  file: string,
  wanted?: (name: string) => boolean,
): Promise<Map<string, HostArray>> {
  const reader = await NpzReader.open(file);
  try {
    const arrays = new Map<string, HostArray>();
    for (const name of reader.names) if (!wanted || wanted(name)) arrays.set(name, await reader.read(name));
    return arrays;
  } finally {
    await reader.close();
  }
}

export interface SaveOptions {
  /** Deflates the arrays, as numpy.savez_compressed does. Trained weights hardly shrink. */
  readonly compress?: boolean;
}

/**
 * Writes a tree of arrays, keys slash-joined as the original's checkpoints have them: `{params: {head: {kernel}}}` is
 * the entry `params/head/kernel.npy`. The file appears when it is complete, and the same tree gives the same bytes.
 */
export function saveNpz(
  file: string,
  tree: NestedRecord<HostArray>,
  options: SaveOptions = {},
): Promise<void> {
  return writeNpz(file, sourcesOf(namedLeaves<HostArray>(tree as Tree<HostArray>)), options);
}

/** The same of arrays that are read as they are written, so that one at a time is in memory. */
export async function writeNpz(
  file: string,
  arrays: readonly ArraySource[],
  { compress = false }: SaveOptions = {},
): Promise<void> {
  const zip = new ZipFile();
  zip.on('error', (error) => (zip.outputStream as Readable).destroy(error as Error));
  const partial = `${file}.${randomBytes(4).toString('hex')}.partial`;
  try {
    for (const { name, spec, read } of arrays) {
      const header = npyHeader(spec);
      const size = header.length + sizeOf(spec.shape) * bytesPerElement(spec.dtype);
      const entry = { size, compress, mtime: new Date(1980, 0, 1), forceDosTimestamp: true };
      zip.addReadStreamLazy(name + suffix, entry, (pass) => {
        const stream = (array: HostArray) => Readable.from(chunksOf(header, array), { objectMode: false });
        read().then(
          (array) => pass(null, stream(array)),
          (error: unknown) => pass(error, Readable.from([])),
        );
      });
    }
    zip.end();
    await pipeline(zip.outputStream, createWriteStream(partial, { flush: true }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof UserError ? error : errors.write({ file, reason: reasonOf(error) });
  }
}

function* chunksOf(header: Buffer, array: HostArray): Generator<Uint8Array> {
  yield header;
  const bytes = bytesOf(array);
  const step = 1 << 20;
  for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
}
