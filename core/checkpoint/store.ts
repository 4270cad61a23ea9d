// Checkpoints of a run: one folder a step under `<workdir>/checkpoints`, made in the background. A folder is written
// under another name, synced, and renamed, so that a step's folder is always whole; its manifest carries the digest of
// the arrays, so that later damage is seen. The newest intact one is where a run goes on.

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import type { HostArray } from '../array';
import { catalogue, ExitCode, UserError } from '../errors';
import { readSafetensors, writeSafetensors } from './safetensors';

const manifestSchema = z.object({
  format: z.literal(1),
  step: z.number().int().min(0),
  /** False: to be deleted once a newer one is on disk. */
  keep: z.boolean(),
  arrays: z.object({ bytes: z.number(), sha256: z.string() }),
  /** Plain data of the trainer and the plugins. */
  meta: z.record(z.string(), z.unknown()),
});
type Manifest = z.output<typeof manifestSchema>;

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
  readonly arrays: readonly (readonly [name: string, array: HostArray])[];
  readonly meta: Readonly<Record<string, unknown>>;
}

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

export class CheckpointStore {
  private writing: Promise<void> = Promise.resolve();
  private failure: UserError | undefined;

  constructor(
    /** The folder that holds one folder a checkpoint. */
    readonly folder: string,
    private readonly report: (note: string) => void,
  ) {}

  /**
   * Starts writing and returns; `committed` is called when the checkpoint is safe. Writes are in order. A failure is thrown
   * by the next `save` or `finish`.
   */
  save(
    checkpoint: Omit<Checkpoint, 'path'> & { readonly keep: boolean },
    committed: () => Promise<void>,
  ): void {
    this.throwFailure();
    this.writing = this.writing
      .then(() => this.write(checkpoint))
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

  private async write(checkpoint: Omit<Checkpoint, 'path'> & { readonly keep: boolean }): Promise<void> {
    const { step, keep, arrays, meta } = checkpoint;
    const final = path.join(this.folder, folderName(step));
    const partial = `${final}.partial`;
    await fs.rm(partial, { recursive: true, force: true });
    try {
      await fs.mkdir(partial, { recursive: true });
      const digest = await writeSynced(path.join(partial, arraysFile), (file) =>
        writeSafetensors(file, arrays),
      );
      const manifest: Manifest = { format: 1, step, keep, arrays: digest, meta };
      await writeSynced(path.join(partial, manifestFile), (file) =>
        file.writeFile(JSON.stringify(manifest, null, 1)),
      );
      await syncFolder(partial);
      // A folder of this step is there only when a run repeats steps after a damaged checkpoint: the new one replaces it.
      await fs.rm(final, { recursive: true, force: true });
      await fs.rename(partial, final);
      await syncFolder(this.folder);
    } catch (error) {
      await fs.rm(partial, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    await this.removeReplaced(step);
  }

  /** Deletes checkpoints older than `step` that weren't to be kept. */
  private async removeReplaced(step: number): Promise<void> {
    for (const older of (await this.steps()).filter((other) => other < step)) {
      const folder = path.join(this.folder, folderName(older));
      const manifest = await readManifest(folder).catch(() => undefined);
      if (manifest && !manifest.keep) await fs.rm(folder, { recursive: true, force: true });
    }
  }

  private async removePartial(): Promise<void> {
    const names = await fs.readdir(this.folder).catch(() => [] as string[]);
    for (const name of names.filter((name) => name.endsWith('.partial'))) {
      await fs.rm(path.join(this.folder, name), { recursive: true, force: true });
    }
  }
}

/** Reads one checkpoint folder and checks its digest. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const damaged = (problem: string) => checkpointErrors.damaged({ path: folder, problem });
  const manifest = await readManifest(folder);
  const file = path.join(folder, arraysFile);
  const handle = await fs.open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw damaged(`${arraysFile}: ${describeErrno(cause)}`);
  });
  try {
    const { size } = await handle.stat();
    if (size !== manifest.arrays.bytes)
      throw damaged(`${arraysFile} has ${size} bytes instead of ${manifest.arrays.bytes}`);
    const hash = createHash('sha256');
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 }))
      hash.update(chunk as Buffer);
    if (hash.digest('hex') !== manifest.arrays.sha256)
      throw damaged(`the checksum of ${arraysFile} is wrong`);
    return {
      step: manifest.step,
      path: folder,
      arrays: await readSafetensors(handle, file),
      meta: manifest.meta,
    };
  } finally {
    await handle.close();
  }
}

/** The checkpoint at a path: a checkpoint's own folder, a workdir, or its folder of checkpoints. */
export async function findCheckpoint(location: string, report: (note: string) => void): Promise<Checkpoint> {
  const has = (name: string) =>
    fs.access(path.join(location, name), constants.R_OK).then(
      () => true,
      () => false,
    );
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

async function writeSynced<T>(file: string, write: (handle: fs.FileHandle) => Promise<T>): Promise<T> {
  const handle = await fs.open(file, 'w');
  try {
    const result = await write(handle);
    await handle.sync();
    return result;
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
