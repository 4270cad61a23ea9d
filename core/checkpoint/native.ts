// A checkpoint of our own: a folder with the arrays and a manifest that has their digest, so that damage is seen. Several
// processes write a file of parts each; read, the parts are whole arrays again.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import type { HostArray } from '../array';
import { catalogue } from '../errors';
import type { Archive, ArraySource } from './archive';
import { describeErrno, syncFolder, writeSynced } from './files';
import { type ArrayPart, assemble, type Block, blocksSchema } from './parts';
import { type FileDigest, SafetensorsReader, writeSafetensors } from './safetensors';
import { type StoredArray } from './stored';

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

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly arrays: readonly (readonly [name: string, array: HostArray])[];
  readonly meta: Readonly<Record<string, unknown>>;
}

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

/** Where a part of an array is. */
interface Piece {
  readonly reader: SafetensorsReader;
  readonly key: string;
  readonly block?: Block;
}

/** An open checkpoint folder. */
export class NativeReader implements Archive {
  readonly form = 'native';
  readonly step: number;
  readonly meta: Checkpoint['meta'];

  private constructor(
    readonly path: string,
    { step, meta }: Manifest,
    private readonly files: readonly SafetensorsReader[],
    private readonly pieces: ReadonlyMap<string, readonly Piece[]>,
  ) {
    this.step = step;
    this.meta = meta;
  }

  /** Reads the manifest and checks the digests, which takes a pass over the files. */
  static async open(folder: string): Promise<NativeReader> {
    const manifest = await readManifest(folder);
    const { arrays } = manifest;
    const parts: (FileDigest & Partial<Part>)[] = 'parts' in arrays ? arrays.parts : [arrays];
    const files: SafetensorsReader[] = [];
    try {
      for (const { file = arraysFile, ...digest } of parts) {
        await checkDigest(folder, file, digest);
        files.push(await SafetensorsReader.open(path.join(folder, file)));
      }
      const pieces = new Map<string, Piece[]>();
      for (const [i, reader] of files.entries()) {
        const { blocks } = parts[i] as Partial<Part>;
        for (const key of reader.names) {
          const block = blocks?.[key];
          if (blocks && !block) continue;
          const name = block?.name ?? key;
          const others = pieces.get(name) ?? [];
          // A block that several processes have counts once.
          if (others.some((other) => other.block?.start.join() === block?.start.join())) continue;
          pieces.set(name, [...others, { reader, key, ...(block && { block }) }]);
        }
      }
      return new NativeReader(folder, manifest, files, pieces);
    } catch (error) {
      await Promise.all(files.map((file) => file.close()));
      throw error;
    }
  }

  get names(): readonly string[] {
    const names = [...this.pieces.keys()];
    return this.files.length === 1 ? names : names.sort();
  }

  async describe(name: string): Promise<StoredArray> {
    const [{ reader, key, block }] = this.piecesOf(name);
    const part = await reader.describe(key);
    return block ? { ...part, shape: block.shape } : part;
  }

  async read(name: string): Promise<HostArray> {
    const pieces = this.piecesOf(name);
    const parts: ArrayPart[] = [];
    for (const { reader, key, block } of pieces) {
      const array = await reader.read(key);
      if (!block) return array;
      parts.push({ ...block, array });
    }
    try {
      return assemble(parts)[0]![1];
    } catch (error) {
      throw damagedErrors.damaged({ path: this.path, problem: (error as Error).message });
    }
  }

  async *bytes(name: string): AsyncGenerator<Uint8Array> {
    for (const { reader, key } of this.piecesOf(name)) yield* reader.bytes(key);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }

  private piecesOf(name: string): readonly [Piece, ...Piece[]] {
    const pieces = this.pieces.get(name);
    if (pieces) return pieces as [Piece, ...Piece[]];
    throw damagedErrors.damaged({ path: this.path, problem: `it has no "${name}"` });
  }
}

/** All of a checkpoint folder, if it is what was written. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const reader = await NativeReader.open(folder);
  try {
    const arrays: [string, HostArray][] = [];
    for (const name of reader.names) arrays.push([name, await reader.read(name)]);
    return { step: reader.step, path: folder, arrays, meta: reader.meta };
  } finally {
    await reader.close();
  }
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
