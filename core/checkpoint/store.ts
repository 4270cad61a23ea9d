// Checkpoints of a run: one folder a step under `<workdir>/checkpoints`, made in the background. A folder is written
// under another name, synced, and renamed, so that a step's folder is always whole; its manifest carries the digest of
// the arrays, so that later damage is seen. The newest intact one is where a run goes on. Of several processes each writes
// its parts into the same folder; process 0 waits for all of them, and writes the manifest and renames.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import type { HostArray } from '../array';
import { catalogue, ExitCode, UserError } from '../errors';
import { exists, syncFolder, waitFor, writeSynced, writeWhole } from './files';
import { type ArrayPart, assemble, blocksSchema, keyed } from './parts';
import { type FileDigest, readSafetensors, writeSafetensors } from './safetensors';

const digestSchema = z.object({ bytes: z.number(), sha256: z.string() });
const partSchema = digestSchema.extend({ file: z.string(), blocks: blocksSchema });
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
type Manifest = z.output<typeof manifestSchema>;
type Part = z.output<typeof partSchema>;

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly arrays: readonly (readonly [name: string, array: HostArray])[];
  readonly meta: Readonly<Record<string, unknown>>;
}

/** What a process saves: whole arrays, or its parts of them where several processes write. */
export interface Saved {
  readonly step: number;
  readonly keep: boolean;
  readonly arrays: Checkpoint['arrays'] | readonly ArrayPart[];
  readonly meta: Checkpoint['meta'];
}

/** This process among those that write checkpoints together. */
export interface Writers {
  readonly index: number;
  readonly count: number;
  /** The same in all processes of one start of the run, and new at each: what an earlier one left isn't taken for theirs. */
  readonly attempt: string;
  /** How long process 0 waits for the others, and they for it. */
  readonly patienceSeconds?: number;
}

const alone: Writers = { index: 0, count: 1, attempt: '' };

export const checkpointErrors = catalogue('checkpoint', {
  write: (v: { path: string; cause: NodeJS.ErrnoException }) => ({
    what: `Can't write ${v.path}: ${describeErrno(v.cause)}. Checkpoints that were written before are intact.`,
    fix: `free space or fix the permissions of ${path.dirname(v.path)}, then start the same command again: it resumes.`,
    exitCode: ExitCode.storage,
  }),
  none: (v: { folder: string }) => ({
    what: `There is no intact checkpoint in ${v.folder}.`,
    fix: 'give a workdir that a run has written a checkpoint to, or one checkpoint folder in it.',
  }),
  missingParts: (v: { path: string; waited: number; count: number; missing: readonly number[] }) => ({
    what: `The checkpoint ${v.path} isn't whole: after ${v.waited} seconds ${v.missing.length === 1 ? 'process' : 'processes'} ${v.missing.join(', ')} of ${v.count} (from 0) ${v.missing.length === 1 ? 'has' : 'have'} not written ${v.missing.length === 1 ? 'its' : 'their'} part. Checkpoints that were written before are intact.`,
    fix: 'see what became of these processes, then start the same command again: it resumes.',
    exitCode: ExitCode.storage,
  }),
  notCommitted: (v: { path: string; waited: number }) => ({
    what: `Process 0 hasn't completed the checkpoint ${v.path} in ${v.waited} seconds.`,
    fix: 'see what became of it, then start the same command again: it resumes from the checkpoint before.',
    exitCode: ExitCode.storage,
  }),
  damaged: (v: { path: string; problem: string }) => ({
    what: `The checkpoint ${v.path} is damaged: ${v.problem}.`,
    fix: 'use an older checkpoint of the same run, or delete this one.',
  }),
});

export function describeErrno(cause: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOENT: 'no such file or folder',
    ENOTDIR: 'a part of the path is a file, not a folder',
  };
  return known[cause.code ?? ''] ?? cause.message;
}

const arraysFile = 'arrays.safetensors';
const manifestFile = 'manifest.json';
const folderName = (step: number) => String(step).padStart(9, '0');
const partName = (index: number) => `part-${String(index).padStart(5, '0')}`;

export class CheckpointStore {
  private writing: Promise<void> = Promise.resolve();
  private failure: UserError | undefined;

  constructor(
    /** The folder that holds one folder a checkpoint. */
    readonly folder: string,
    private readonly report: (note: string) => void,
    private readonly writers: Writers = alone,
  ) {}

  /**
   * Starts writing and returns; `committed` is called when the checkpoint is safe. Writes are in order. A failure is thrown
   * by the next `save` or `finish`.
   */
  save(checkpoint: Saved, committed: () => Promise<void>): void {
    this.throwFailure();
    this.writing = this.writing
      .then(() => (this.writers.count === 1 ? this.write(checkpoint) : this.writePart(checkpoint)))
      .then(committed)
      .catch((cause: NodeJS.ErrnoException) => {
        this.failure ??=
          cause instanceof UserError
            ? cause
            : checkpointErrors.write({ path: path.join(this.folder, folderName(checkpoint.step)), cause });
      });
  }

  /** Resolves when all that was saved is on disk. */
  async finish(): Promise<void> {
    await this.writing;
    this.throwFailure();
  }

  /** Throws what went wrong in the background, once it is known. */
  throwFailure(): void {
    if (this.failure) throw this.failure;
  }

  /** The newest intact checkpoint; damaged ones are reported and passed over. */
  async latest(): Promise<Checkpoint | undefined> {
    await this.removePartial();
    for (const step of (await this.steps()).reverse()) {
      try {
        return await readCheckpoint(path.join(this.folder, folderName(step)));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.report(`${error.what} Trying the one before it.`);
      }
    }
    return undefined;
  }

  private async steps(): Promise<number[]> {
    const names = await fs.readdir(this.folder).catch(() => [] as string[]);
    return names
      .filter((name) => /^\d{9,}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  private async write(checkpoint: Saved): Promise<void> {
    const { step, keep, meta } = checkpoint;
    const arrays = checkpoint.arrays as Checkpoint['arrays'];
    const final = path.join(this.folder, folderName(step));
    const partial = `${final}.partial`;
    await fs.rm(partial, { recursive: true, force: true });
    try {
      await fs.mkdir(partial, { recursive: true });
      const digest = await writeSynced(path.join(partial, arraysFile), (file) =>
        writeSafetensors(file, arrays),
      );
      await this.commit(partial, { format: 1, step, keep, arrays: digest, meta });
    } catch (error) {
      await fs.rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    await this.removeReplaced(step);
  }

  /** Writes the manifest and gives the folder its name: from here on it is the newest checkpoint. */
  private async commit(partial: string, manifest: Manifest): Promise<void> {
    const final = path.join(this.folder, folderName(manifest.step));
    await writeSynced(path.join(partial, manifestFile), (file) =>
      file.writeFile(JSON.stringify(manifest, null, 1)),
    );
    await syncFolder(partial);
    // A folder of this step is there only when a run repeats steps after a damaged checkpoint: the new one replaces it.
    await fs.rm(final, { recursive: true, force: true });
    await fs.rename(partial, final);
    await syncFolder(this.folder);
  }

  /**
   * Writes this process's parts, and beside them what they are, which says that they are complete. Process 0 commits when
   * all are; the others wait for that.
   */
  private async writePart({ step, keep, arrays, meta }: Saved): Promise<void> {
    const { index, attempt } = this.writers;
    const final = path.join(this.folder, folderName(step));
    const partial = `${final}.${attempt}.partial`;
    await fs.mkdir(partial, { recursive: true });
    const { arrays: named, blocks } = keyed(arrays as readonly ArrayPart[]);
    const file = `${partName(index)}.safetensors`;
    const digest = await writeSynced(path.join(partial, file), (handle) => writeSafetensors(handle, named));
    const part: Part = { file, ...digest, blocks };
    await writeWhole(path.join(partial, `${partName(index)}.json`), JSON.stringify(part));
    await syncFolder(partial);
    if (index !== 0) return this.untilCommitted(partial);
    await this.commit(partial, {
      format: 1,
      step,
      keep,
      arrays: { parts: await this.allParts(partial) },
      meta,
    });
    await this.removeReplaced(step);
  }

  private async allParts(partial: string): Promise<Part[]> {
    const { count, patienceSeconds = 600 } = this.writers;
    const indices = Array.from({ length: count }, (_, index) => index);
    const fileOf = (index: number) => path.join(partial, `${partName(index)}.json`);
    const missing = async () => {
      const there = await Promise.all(indices.map((index) => exists(fileOf(index))));
      return indices.filter((index) => !there[index]);
    };
    const done = await waitFor(async () => (await missing()).length === 0, patienceSeconds);
    if (!done) {
      const waited = patienceSeconds;
      throw checkpointErrors.missingParts({ path: partial, waited, count, missing: await missing() });
    }
    return Promise.all(
      indices.map(async (index) => partSchema.parse(JSON.parse(await fs.readFile(fileOf(index), 'utf8')))),
    );
  }

  /** The folder of this attempt goes away when it gets its name, or when process 0 has started anew and cleaned up. */
  private async untilCommitted(partial: string): Promise<void> {
    const { patienceSeconds = 600 } = this.writers;
    const gone = await waitFor(async () => !(await exists(partial)), patienceSeconds);
    const final = partial.replace(/\.[^.]*\.partial$/, '');
    if (!gone || !(await exists(path.join(final, manifestFile)))) {
      throw checkpointErrors.notCommitted({ path: final, waited: patienceSeconds });
    }
  }

  /** Deletes checkpoints older than `step` that weren't to be kept. */
  private async removeReplaced(step: number): Promise<void> {
    for (const older of (await this.steps()).filter((other) => other < step)) {
      const folder = path.join(this.folder, folderName(older));
      const manifest = await readManifest(folder).catch(() => undefined);
      if (manifest && !manifest.keep) await fs.rm(folder, { recursive: true, force: true });
    }
  }

  /** Process 0 alone removes, and not what the others may be writing already. */
  private async removePartial(): Promise<void> {
    const { index, attempt } = this.writers;
    if (index !== 0) return;
    const names = await fs.readdir(this.folder).catch(() => [] as string[]);
    const own = attempt === '' ? undefined : `.${attempt}.partial`;
    for (const name of names.filter((name) => name.endsWith('.partial'))) {
      if (own !== undefined && name.endsWith(own)) continue;
      await fs.rm(path.join(this.folder, name), { recursive: true, force: true });
    }
  }
}

/** Reads one checkpoint folder and checks its digests. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const { step, arrays, meta } = await readManifest(folder);
  if (!('parts' in arrays)) {
    return { step, path: folder, arrays: await readArrays(folder, arraysFile, arrays), meta };
  }
  const parts: ArrayPart[] = [];
  for (const { file, blocks, ...digest } of arrays.parts) {
    for (const [key, array] of await readArrays(folder, file, digest)) {
      const block = blocks[key];
      if (block) parts.push({ ...block, array });
    }
  }
  try {
    return { step, path: folder, arrays: assemble(parts), meta };
  } catch (error) {
    throw checkpointErrors.damaged({ path: folder, problem: (error as Error).message });
  }
}

/** The arrays of one file, if it is what was written. */
async function readArrays(
  folder: string,
  name: string,
  expected: FileDigest,
): Promise<[name: string, array: HostArray][]> {
  const damaged = (problem: string) => checkpointErrors.damaged({ path: folder, problem });
  const file = path.join(folder, name);
  const handle = await fs.open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(`${name}: ${describeErrno(cause)}`);
  });
  try {
    const { size } = await handle.stat();
    if (size !== expected.bytes) throw damaged(`${name} has ${size} bytes instead of ${expected.bytes}`);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 }))
      hash.update(chunk as Buffer);
    if (hash.digest('hex') !== expected.sha256) throw damaged(`the checksum of ${name} is wrong`);
    return await readSafetensors(handle, file);
  } finally {
    await handle.close();
  }
}

/** The checkpoint at a path: a checkpoint's own folder, a workdir, or its folder of checkpoints. */
export async function findCheckpoint(location: string, report: (note: string) => void): Promise<Checkpoint> {
  const has = (name: string) => exists(path.join(location, name));
  if (await has(manifestFile)) return readCheckpoint(location);
  const folder = (await has('checkpoints')) ? path.join(location, 'checkpoints') : location;
  const latest = await new CheckpointStore(folder, report).latest();
  if (!latest) throw checkpointErrors.none({ folder });
  return latest;
}

async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, manifestFile);
  const text = await fs.readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw checkpointErrors.damaged({ path: folder, problem: `${manifestFile}: ${describeErrno(cause)}` });
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw checkpointErrors.damaged({ path: folder, problem: `${manifestFile} isn't what was written` });
  }
}
