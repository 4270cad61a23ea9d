import { statSync } from 'node:fs';

/** Not so if nothing is there, or something that can't be read from its start again: a folder, a pipe, a device. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
