// Where this package is, and its version.

import path from 'node:path';

/** The folder of this package: the clone, or its place in node_modules. */
export const packageRoot = path.resolve(__dirname, '..', '..');

// eslint-disable-next-line @typescript-eslint/no-require-imports
const manifest = require('../../package.json') as { readonly name: string; readonly version: string };

export const packageName = manifest.name;
export const coreVersion = manifest.version;

/** A path as people write it: relative to where they are, if that is shorter. */
export function shortPath(file: string, from = process.cwd()): string {
  const relative = path.relative(from, file);
  return relative === '' ? '.' : relative.length < file.length ? relative : file;
}
