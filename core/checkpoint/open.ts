// Opening a checkpoint of any form, which is told by what is there and not by its name.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { catalogue } from '../errors';
import { type Archive, checkNames } from './archive';
import { exists } from './files';
import { manifestFile, type Readers } from './native';
import { NpzReader } from './npz';
import { SafetensorsReader } from './safetensors';
import { findCheckpoint } from './store';
import { lastOf, TensorstoreReader } from './tensorstore';

const errors = catalogue('checkpoint', {
  missing: (v: { path: string }) => ({
    what: `There is no file or folder "${v.path}".`,
    fix: 'check the path; files in a bucket must be downloaded first.',
  }),
  unknownForm: (v: { path: string }) => ({
    what: `"${v.path}" is neither an .npz archive nor a safetensors file.`,
    fix: 'give one of these, a workdir or checkpoint folder of a run, or a checkpoint folder of the original.',
  }),
});

/**
 * @param location an .npz or safetensors file; a workdir, its folder of checkpoints or one of these; or a folder that the
 *   original wrote.
 * @throws UserError if there is none, it is damaged, or its names aren't those of a tree.
 */
export async function openArchive(
  location: string,
  report: (note: string) => void = () => undefined,
  readers?: Readers,
): Promise<Archive> {
  const archive = await openAny(location, report, readers);
  try {
    checkNames(archive.path, archive.names);
    return archive;
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function openAny(
  location: string,
  report: (note: string) => void,
  readers: Readers | undefined,
): Promise<Archive> {
  const found = await fs.stat(location).catch(() => undefined);
  if (found?.isFile()) return openFile(location);
  if (found && (await isOurs(location))) return findCheckpoint(location, report, readers);
  if (found || (await lastOf(location)) !== undefined) return TensorstoreReader.open(location);
  throw errors.missing({ path: location });
}

/** A checkpoint's own folder, a workdir, or its folder of checkpoints. */
async function isOurs(folder: string): Promise<boolean> {
  const has = await Promise.all([manifestFile, 'checkpoints'].map((name) => exists(path.join(folder, name))));
  return has.includes(true) || (await fs.readdir(folder)).some((name) => /^\d{9,}$/.test(name));
}

async function openFile(file: string): Promise<Archive> {
  const start = await firstBytes(file, 9);
  if (start.startsWith('PK') || file.endsWith('.npz')) return NpzReader.open(file);
  if (start[8] === '{' || file.endsWith('.safetensors')) return SafetensorsReader.open(file);
  throw errors.unknownForm({ path: file });
}

async function firstBytes(file: string, count: number): Promise<string> {
  const handle = await fs.open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
