// The pictures as pixels: drawn once, and kept in a packed file.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { packageRoot } from '../../core/workspace/paths';

/** Pixels of one picture after another, uint8 [count, size, size, 3], on white. */
export async function readPictures(
  folder: string,
  hexcodes: readonly string[],
  size: number,
  cacheFolder = path.join(packageRoot, 'node_modules', '.cache', 'big-vision-ts'),
): Promise<Uint8Array> {
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const drawnBy = [version, sharp.versions.vips, sharp.versions.rsvg, size, ...hexcodes].join(' ');
  const digest = createHash('sha1').update(drawnBy).digest('hex').slice(0, 16);
  const file = path.join(cacheFolder, `openmoji-${digest}.bin`);
  const bytes = hexcodes.length * size * size * 3;
  const packed = await fs.promises.readFile(file).catch(() => undefined);
  if (packed?.length === bytes) return packed;

  const pixels = new Uint8Array(bytes);
  await Promise.all(
    hexcodes.map(async (hexcode, i) => {
      const svg = path.join(folder, 'color', 'svg', `${hexcode}.svg`);
      pixels.set(await draw(svg, size), i * size * size * 3);
    }),
  );
  await write(file, pixels);
  return pixels;
}

/** The side of a picture in its own units. */
const side = 72;

async function draw(svg: string, size: number): Promise<Uint8Array> {
  const picture = sharp(await fs.promises.readFile(svg), { density: (72 * size) / side });
  return picture.resize(size, size).flatten({ background: '#fff' }).removeAlpha().raw().toBuffer();
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    await fs.promises.writeFile(temporary, bytes);
    await fs.promises.rename(temporary, file);
  } catch {
    // A read-only installation, or a full disk, draws them each time.
    await fs.promises.rm(temporary, { force: true }).catch(() => undefined);
  }
}
