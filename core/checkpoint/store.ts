// Checkpoints of a run: one folder a step under `<workdir>/checkpoints`, made in the background. A folder is written
// under another name, synced, and renamed, so that a step's folder is always whole; its manifest carries the digest of
// the arrays, so that later damage is seen. The newest intact one is where a run goes on. Of several processes each writes
// its parts into the same folder; process 0 waits for all of them, and writes the manifest and renames.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { HostArray } from '../array';
import { catalogue, ExitCode, UserError } from '../errors';
import { alone } from '../processes/group';
import { sourcesOf } from './archive';
import { describeErrno, exists, syncFolder, waitFor, writeSynced, writeWhole } from './files';
import {
  commitNative,
  type Manifest,
  manifestFile,
  NativeReader,
  type Part,
  partSchema,
  type Readers,
  readManifest,
  writeNative,
} from './native';
import { type ArrayPart, keyed } from './parts';
import { writeSafetensors } from './safetensors';

type Whole = readonly [name: string, array: HostArray];

/** What a process saves: whole arrays, or its parts of them where several processes write. */
export interface Saved {
  readonly step: number;
  readonly keep: boolean;
  readonly arrays: readonly Whole[] | readonly ArrayPart[];
  readonly meta: Manifest['meta'];
}

/** This process among those that read and write checkpoints together. */
export interface Writers extends Readers {
  /** The same in all processes of one start of the run, and new at each: what an earlier one left isn't taken for theirs. */
  readonly attempt: string;
  /** How long process 0 waits for the others, and they for it. */
  readonly patienceSeconds?: number;
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
});

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

  /** The newest intact checkpoint, for the run that goes on from it; damaged ones are reported and passed over. */
  async latest(): Promise<NativeReader | undefined> {
    await this.removePartial();
    return newestIn(this.folder, this.report, this.writers);
  }

  private async write({ step, keep, meta, arrays }: Saved): Promise<void> {
    const whole = sourcesOf(arrays as readonly Whole[]);
    await writeNative(path.join(this.folder, folderName(step)), { step, keep, meta, arrays: whole });
    await this.removeReplaced(step);
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
    const digest = await writeSynced(path.join(partial, file), (handle) =>
      writeSafetensors(handle, sourcesOf(named)),
    );
    const part: Part = { file, ...digest, blocks };
    await writeWhole(path.join(partial, `${partName(index)}.json`), JSON.stringify(part));
    await syncFolder(partial);
    if (index !== 0) return this.untilCommitted(partial);
    const parts = await this.allParts(partial);
    await commitNative(partial, final, { format: 1, step, keep, arrays: { parts }, meta });
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
    for (const older of (await stepsIn(this.folder)).filter((other) => other < step)) {
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

async function stepsIn(folder: string): Promise<number[]> {
  const names = await fs.readdir(folder).catch(() => [] as string[]);
  return names
    .filter((name) => /^\d{9,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The newest intact checkpoint in a folder of them. Touches nothing: the run may be going on. */
async function newestIn(
  folder: string,
  report: (note: string) => void,
  readers: Readers,
): Promise<NativeReader | undefined> {
  const steps = await stepsIn(folder);
  await readers.agree(
    `the checkpoints in ${folder}`,
    steps.length === 0 ? 'none' : `those of step ${steps.join(', ')}`,
  );
  for (const step of steps.reverse()) {
    const place = path.join(folder, folderName(step));
    const opened = await NativeReader.open(place, readers).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      return error;
    });
    const sound = opened instanceof NativeReader;
    if ((await readers.every(`the checkpoint ${place} is sound`, sound)) && sound) return opened;
    if (sound) await opened.close();
    const what = sound ? `The checkpoint ${place} is damaged, as another process has found.` : opened.what;
    report(`${what} Trying the one before it.`);
  }
  return undefined;
}

/** The checkpoint at a path: a checkpoint's own folder, or the newest intact one of a workdir or of its folder of checkpoints. */
export async function findCheckpoint(
  location: string,
  report: (note: string) => void,
  readers: Readers = alone,
): Promise<NativeReader> {
  const has = (name: string) => exists(path.join(location, name));
  if (await has(manifestFile)) return NativeReader.open(location, readers);
  const folder = (await has('checkpoints')) ? path.join(location, 'checkpoints') : location;
  const found = await newestIn(folder, report, readers);
  if (found === undefined) throw checkpointErrors.none({ folder });
  return found;
}
