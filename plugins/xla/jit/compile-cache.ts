// Compiled programs on disk, by the hash of all that they depend on. Files are written whole or not at all, and checked
// when they are read: a bad one is a warning and a new compilation, never a failure.

import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { warn } from '../warn';

const magic = Buffer.from('BVXLA1\n\0');
const digestBytes = 32;

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export class CompileCache {
  constructor(private readonly folder: string) {}

  private fileOf(key: string): string {
    return path.join(this.folder, `${key}.xla`);
  }

  /** What `revive` makes of the stored bytes, or undefined. */
  load<T>(key: string, revive: (bytes: Uint8Array) => T): T | undefined {
    const file = this.fileOf(key);
    let content: Buffer;
    try {
      content = readFileSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.complain(file, error);
      return undefined;
    }
    try {
      return revive(unpack(content));
    } catch (error) {
      this.complain(file, error);
      return undefined;
    }
  }

  save(key: string, serialize: () => Uint8Array): void {
    const file = this.fileOf(key);
    const temporary = `${file}.${process.pid}.${randomUUID()}`;
    try {
      const bytes = serialize();
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(temporary, Buffer.concat([magic, digestOf(bytes), bytes]));
      renameSync(temporary, file);
    } catch (error) {
      removeIfThere(temporary);
      warn(
        'CompileCacheWarning',
        `The compiled program wasn't saved in ${file}: ${(error as Error).message}`,
      );
    }
  }

  private complain(file: string, error: unknown): void {
    const { message } = error as Error;
    warn(
      'CompileCacheWarning',
      `The compiled program in ${file} can't be used and is compiled again: ${message}`,
    );
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder may be what is wrong.
  }
}

function unpack(content: Buffer): Uint8Array {
  const start = magic.length + digestBytes;
  if (content.length < start || !content.subarray(0, magic.length).equals(magic)) {
    throw new Error('it is not a compiled program of this version');
  }
  const bytes = content.subarray(start);
  if (!digestOf(bytes).equals(content.subarray(magic.length, start)))
    throw new Error('its checksum is wrong');
  return bytes;
}
