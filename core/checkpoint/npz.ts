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
import { type HostArray, bytesOf } from '../array';
import { ExitCode, catalogue } from '../errors';
import { didYouMean } from '../suggest';
import { type NestedRecord, type Tree, namedLeaves } from '../tree';
import { NpyDecoder, NpyError, npyHeader } from './npy';

export const npzErrors = catalogue('npz', {
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
  unknownEntry: (v: { file: string; entry: string; known: readonly string[] }) => ({
    what: `There is no "${v.entry}" in "${v.file}".${didYouMean(v.entry, v.known)}`,
    fix: `one of: ${v.known.slice(0, 40).join(', ')}${v.known.length > 40 ? ', ...' : ''}.`,
  }),
  write: (v: { file: string; reason: string }) => ({
    what: `"${v.file}" can't be written: ${v.reason}.`,
    fix: 'make room, or name a folder that exists and can be written to.',
    exitCode: ExitCode.storage,
  }),
});

const suffix = '.npy';
/** Deflate shrinks by no more than this, so a file can't make us allocate more than this times its size. */
const maxRatio = 1032;
const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

/** An open archive. */
export class NpzReader {
  private constructor(
    readonly file: string,
    private readonly zip: yauzl.ZipFile,
    private readonly entries: ReadonlyMap<string, yauzl.Entry>,
  ) {}

  /** @throws UserError if there is no such file, or it isn't an archive of arrays. */
  static async open(file: string): Promise<NpzReader> {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) throw npzErrors.missing({ file });
    const zip = await yauzl
      .openPromise(file, { lazyEntries: true, autoClose: false })
      .catch((error: unknown) => Promise.reject(npzErrors.notNpz({ file, reason: reasonOf(error) })));
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

  /** @throws UserError naming file and entry, if the entry is unknown, damaged, or of a type that we can't hold. */
  async read(name: string): Promise<HostArray> {
    const entry = this.entries.get(name);
    if (!entry) throw npzErrors.unknownEntry({ file: this.file, entry: name, known: this.names });
    try {
      return await this.decode(entry);
    } catch (error) {
      throw npzErrors.entry({ file: this.file, entry: name, reason: reasonOf(error) });
    }
  }

  private async decode(entry: yauzl.Entry): Promise<HostArray> {
    if (!entry.canDecodeFileData()) throw new NpyError('it is encrypted or compressed in an unknown way');
    if (entry.uncompressedSize > entry.compressedSize * maxRatio) throw new NpyError('its size is a lie');
    const decoder = new NpyDecoder(entry.uncompressedSize);
    let checksum = 0;
    for await (const chunk of await this.zip.openReadStreamPromise(entry)) {
      checksum = crc32(chunk as Buffer, checksum);
      decoder.push(chunk as Buffer);
    }
    if (checksum !== entry.crc32) throw new NpyError('its checksum is wrong, so the file is damaged');
    return decoder.finish();
  }

  async close(): Promise<void> {
    if (!this.zip.isOpen) return;
    const closed = once(this.zip, 'close');
    this.zip.close();
    await closed;
  }
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
      if (compressed > fileSize) throw new NpyError('its entries claim more bytes than it has');
      if (!entry.fileName.endsWith(suffix)) continue;
      const name = entry.fileName.slice(0, -suffix.length);
      if (entries.has(name)) throw new NpyError(`it has "${name}" twice`);
      if (name.split('/').includes('__proto__')) throw new NpyError(`it has the name "${name}"`);
      entries.set(name, entry);
    }
  } catch (error) {
    throw npzErrors.notNpz({ file, reason: reasonOf(error) });
  }
  if (entries.size === 0) throw npzErrors.notNpz({ file, reason: 'it holds no arrays (.npy)' });
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
export async function saveNpz(
  file: string,
  tree: NestedRecord<HostArray>,
  options: SaveOptions = {},
): Promise<void> {
  const zip = new ZipFile();
  for (const [name, array] of namedLeaves<HostArray>(tree as Tree<HostArray>)) {
    const header = npyHeader(array);
    const size = header.length + array.data.byteLength;
    const entry = {
      size,
      compress: options.compress ?? false,
      mtime: new Date(1980, 0, 1),
      forceDosTimestamp: true,
    };
    zip.addReadStreamLazy(name + suffix, entry, (pass) =>
      pass(null, Readable.from(pieces(header, array), { objectMode: false })),
    );
  }
  zip.end();
  const partial = `${file}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await pipeline(zip.outputStream, createWriteStream(partial, { flush: true }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw npzErrors.write({ file, reason: reasonOf(error) });
  }
}

function* pieces(header: Buffer, array: HostArray): Generator<Uint8Array> {
  yield header;
  const bytes = bytesOf(array);
  const step = 1 << 20;
  for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
}
