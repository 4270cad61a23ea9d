// A checkpoint of our own: a folder with the arrays and a manifest that has their digest, so that damage is seen. Several
// processes write a file of parts each. Any number of processes reads any blocks of the arrays from the files.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import { allocate, bytesOf, bytesPerElement, type HostArray, sizeOf } from '../array';
import { type ArrayBlock, type Extent, intersection, paste, wholeOf, within } from '../blocks';
import { catalogue } from '../errors';
import type { Archive, ArraySource } from './archive';
import { describeErrno, syncFolder, writeSynced } from './files';
import { type Blocks, blocksSchema } from './parts';
import { type FileDigest, SafetensorsReader, writeSafetensors } from './safetensors';
import type { StoredArray, StoredType } from './stored';

const digestSchema = z.object({ bytes: z.number(), sha256: z.string() });
export const partSchema = digestSchema.extend({
  file: z.string().regex(/^part-\d+\.safetensors$/),
  blocks: blocksSchema,
});
export type Part = z.output<typeof partSchema>;
const manifestSchema = z.object({
  format: z.literal(1),
  step: z.number().int().min(0),
  /** False: to be deleted once a newer one is on disk. */
  keep: z.boolean(),
  /** The file of whole arrays; or the files of parts, one for each process. */
  arrays: z.union([digestSchema, z.object({ parts: z.array(partSchema).min(1) })]),
  /** Plain data of the trainer and the plugins. */
  meta: z.record(z.string(), z.unknown()),
});
export type Manifest = z.output<typeof manifestSchema>;

const damagedErrors = catalogue('checkpoint', {
  damaged: (v: { path: string; problem: string }) => ({
    what: `The checkpoint ${v.path} is damaged: ${v.problem}.`,
    fix: 'use an older checkpoint of the same run, or delete this one.',
  }),
});

const arraysFile = 'arrays.safetensors';
export const manifestFile = 'manifest.json';
/** Far above what any model needs. */
const maxManifestBytes = 100_000_000;

/** Writes a checkpoint of whole arrays, each read when its turn comes. Under its name the folder is complete. */
export async function writeNative(
  folder: string,
  { arrays, ...rest }: Omit<Manifest, 'format' | 'arrays'> & { readonly arrays: readonly ArraySource[] },
): Promise<void> {
  const partial = `${folder}.partial`;
  await fs.rm(partial, { recursive: true, force: true });
  try {
    await fs.mkdir(partial, { recursive: true });
    const digest = await writeSynced(path.join(partial, arraysFile), (file) =>
      writeSafetensors(file, arrays),
    );
    await commitNative(partial, folder, { format: 1, arrays: digest, ...rest });
  } catch (error) {
    await fs.rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** Writes the manifest and gives the folder its name, under which there may be one that it replaces. */
export async function commitNative(partial: string, folder: string, manifest: Manifest): Promise<void> {
  await writeSynced(path.join(partial, manifestFile), (file) =>
    file.writeFile(JSON.stringify(manifest, null, 1)),
  );
  await syncFolder(partial);
  await fs.rm(folder, { recursive: true, force: true });
  await fs.rename(partial, folder);
  await syncFolder(path.dirname(folder));
}

export async function readManifest(folder: string): Promise<Manifest> {
  const damaged = (problem: string) => damagedErrors.damaged({ path: folder, problem });
  const file = path.join(folder, manifestFile);
  const unread = (cause: NodeJS.ErrnoException) => {
    throw damaged(`${manifestFile}: ${describeErrno(cause)}`);
  };
  const { size } = await fs.stat(file).catch(unread);
  if (size > maxManifestBytes) throw damaged(`${manifestFile} has ${size} bytes`);
  const text = await fs.readFile(file, 'utf8').catch(unread);
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw damaged(`${manifestFile} isn't what was written`);
  }
}

/** This process among those that read a checkpoint together. */
export interface Readers {
  readonly index: number;
  readonly count: number;
  /** True if it is in all processes. Each `what` is asked once. */
  every(what: string, value: boolean): Promise<boolean>;
  /** Waits until all have come here with the same value. Each `what` is agreed on once. */
  agree(what: string, value: string): Promise<void>;
}

/** Where a part of an array is. */
interface Piece extends Extent {
  readonly reader: SafetensorsReader;
  readonly key: string;
}

interface Stored {
  readonly type: StoredType;
  /** Of the whole array. */
  readonly shape: readonly number[];
  readonly pieces: readonly Piece[];
}

/** An open checkpoint folder. */
export class NativeReader implements Archive {
  readonly form = 'native';
  readonly step: number;
  readonly meta: Manifest['meta'];

  private constructor(
    readonly path: string,
    { step, meta }: Manifest,
    private readonly files: readonly SafetensorsReader[],
    private readonly stored: ReadonlyMap<string, Stored>,
  ) {
    this.step = step;
    this.meta = meta;
  }

  /**
   * Reads the manifest and checks the digests, which takes a pass over the files. Of several processes each goes over other
   * ones: a checkpoint is sound that is so for all of them.
   */
  static async open(
    folder: string,
    { index, count }: Pick<Readers, 'index' | 'count'> = one,
  ): Promise<NativeReader> {
    const manifest = await readManifest(folder);
    const { arrays } = manifest;
    const parts: (FileDigest & Partial<Part>)[] = 'parts' in arrays ? arrays.parts : [arrays];
    const files: SafetensorsReader[] = [];
    try {
      for (const [i, { file = arraysFile, ...digest }] of parts.entries()) {
        if (i % count === index) await checkDigest(folder, file, digest);
        files.push(await SafetensorsReader.open(path.join(folder, file)));
      }
      const stored = new Map<string, Stored>();
      for (const [i, reader] of files.entries()) await addPieces(stored, reader, parts[i]?.blocks);
      const problem = [...stored].map(([name, array]) => problemOf(name, array)).find((found) => found);
      if (problem !== undefined) throw damagedErrors.damaged({ path: folder, problem });
      return new NativeReader(folder, manifest, files, stored);
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
  }

  get names(): readonly string[] {
    const names = [...this.stored.keys()];
    return this.files.length === 1 ? names : names.sort();
  }

  describe(name: string): Promise<StoredArray> {
    const { type, shape } = this.storedOf(name);
    return Promise.resolve({ type, shape });
  }

  async read(name: string): Promise<HostArray> {
    const [whole] = await this.readBlocks(name, [wholeOf(this.storedOf(name).shape)]);
    return whole!.array;
  }

  async readBlocks(name: string, wanted: readonly Extent[]): Promise<readonly ArrayBlock[]> {
    const { shape } = this.storedOf(name);
    const blocks: ArrayBlock[] = [];
    for (const extent of wanted)
      blocks.push({ array: await this.readBlock(name, extent), shape, start: extent.start });
    return blocks;
  }

  private async readBlock(name: string, extent: Extent): Promise<HostArray> {
    const { type, pieces } = this.storedOf(name);
    let target: HostArray | undefined;
    for (const piece of pieces) {
      const common = intersection(extent, piece);
      if (!common) continue;
      const [part] = await piece.reader.readBlocks(piece.key, [within(common, piece)]);
      const { array } = part!;
      if (common.block.join() === extent.block.join()) return array;
      target ??= allocate(type.dtype, extent.block);
      const { start } = within(common, extent);
      paste(bytesOf(target), bytesOf(array), bytesPerElement(type.dtype), extent.block, common.block, start);
    }
    return target ?? allocate(type.dtype, extent.block);
  }

  async *bytes(name: string): AsyncGenerator<Uint8Array> {
    for (const { reader, key } of this.storedOf(name).pieces) yield* reader.bytes(key);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }

  private storedOf(name: string): Stored {
    const stored = this.stored.get(name);
    if (stored) return stored;
    throw damagedErrors.damaged({ path: this.path, problem: `it has no "${name}"` });
  }
}

const one = { index: 0, count: 1 };

/** Notes what a file has of each array. A block that several processes have counts once. */
async function addPieces(
  stored: Map<string, Stored>,
  reader: SafetensorsReader,
  blocks: Blocks | undefined,
): Promise<void> {
  for (const key of reader.names) {
    const { type, shape } = await reader.describe(key);
    const of = blocks ? blocks[key] : { name: key, shape, start: shape.map(() => 0) };
    if (!of) continue;
    const known = stored.get(of.name) ?? { type, shape: of.shape, pieces: [] };
    if (known.pieces.some(({ start }) => start.join() === of.start.join())) continue;
    // What has another type or is of another shape doesn't fit in: the array lacks it then.
    const fits = known.type === type && known.shape.join() === of.shape.join();
    const piece: Piece = { reader, key, start: of.start, block: shape };
    stored.set(of.name, fits ? { ...known, pieces: [...known.pieces, piece] } : known);
  }
}

/** What is wrong with the pieces of an array, if they aren't all of it. */
function problemOf(name: string, { shape, pieces }: Stored): string | undefined {
  const outside = pieces.some(
    ({ start, block }) =>
      start.length !== shape.length ||
      block.length !== shape.length ||
      block.some((size, dim) => start[dim]! + size > shape[dim]!),
  );
  if (outside) return `the parts of ${name} don't fit together`;
  const found = pieces.reduce((sum, { block }) => sum + sizeOf(block), 0);
  return found === sizeOf(shape) ? undefined : `${name} has ${sizeOf(shape)} values, and there are ${found}`;
}

async function checkDigest(folder: string, name: string, expected: FileDigest): Promise<void> {
  const damaged = (problem: string) => damagedErrors.damaged({ path: folder, problem });
  const handle = await fs.open(path.join(folder, name), 'r').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(`${name}: ${describeErrno(cause)}`);
  });
  try {
    const { size } = await handle.stat();
    if (size !== expected.bytes) throw damaged(`${name} has ${size} bytes instead of ${expected.bytes}`);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0, highWaterMark: 1 << 20 }))
      hash.update(chunk as Buffer);
    if (hash.digest('hex') !== expected.sha256) throw damaged(`the checksum of ${name} is wrong`);
  } finally {
    await handle.close();
  }
}
