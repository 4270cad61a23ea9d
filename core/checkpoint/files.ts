// Writing files such that a crash leaves them whole or not there.

import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

const pollSeconds = 0.05;

export async function writeSynced<T>(file: string, write: (handle: fs.FileHandle) => Promise<T>): Promise<T> {
  const handle = await fs.open(file, 'w');
  try {
    const result = await write(handle);
    await handle.sync();
    return result;
  } finally {
    await handle.close();
  }
}

/** Under its name the file is whole, for whoever waits for it. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.writing`;
  await writeSynced(temporary, (handle) => handle.writeFile(text));
  await fs.rename(temporary, file);
}

export function exists(file: string): Promise<boolean> {
  return fs.access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** Asks again and again; false if it hasn't become true in time. */
export async function waitFor(condition: () => Promise<boolean>, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, pollSeconds * 1000));
  }
  return true;
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

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
