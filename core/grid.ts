// Pictures side by side in one PNG, each with lines of text below it.

import type sharpModule from 'sharp';
import { allocate, type HostArray } from './array';

export interface Cell {
  /** height, width, and 1 or more channels; of a stack the first. Nothing is drawn for what isn't an image. */
  readonly image?: HostArray;
  readonly label: readonly string[];
}

const gap = 8;
const lineHeight = 14;
/** Of a cell's sides, in pixels. Smaller images are enlarged by whole factors, larger ones are shrunk. */
const most = 288;
const least = 96;

interface Picture {
  readonly bytes: HostArray<'uint8'>;
  readonly height: number;
  readonly width: number;
}

export async function writeGrid(file: string, rows: readonly (readonly Cell[])[]): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a native library, for whoever draws
  const sharp = require('sharp') as typeof sharpModule;
  const pictures = rows.map((cells) => cells.map(({ image }) => image && pictureOf(image)));
  const columns = Math.max(...rows.map((cells) => cells.length));
  const lines = rows.map((cells) => Math.max(...cells.map(({ label }) => label.length)));
  const width = (column: number) => Math.max(least, ...pictures.map((row) => row[column]?.width ?? 0));
  const height = (row: number) =>
    Math.max(0, ...(pictures[row] ?? []).map((picture) => picture?.height ?? 0));
  const widths = Array.from({ length: columns }, (_, column) => width(column));
  const heights = rows.map((_, row) => height(row) + (lines[row] as number) * lineHeight);
  const start = (sizes: readonly number[], index: number) =>
    sizes.slice(0, index).reduce((sum, size) => sum + size + gap, gap);

  const layers: { input: Buffer; left: number; top: number }[] = [];
  const texts: string[] = [];
  for (const [row, cells] of rows.entries()) {
    for (const [column, { label }] of cells.entries()) {
      const [left, top] = [start(widths, column), start(heights, row)];
      const picture = pictures[row]?.[column];
      if (picture) {
        const [h, w, channels] = picture.bytes.shape as [number, number, 1 | 3 | 4];
        const kernel = picture.width > w ? 'nearest' : 'lanczos3';
        const image = sharp(picture.bytes.data, { raw: { height: h, width: w, channels } });
        const input = await image
          .resize(picture.width, picture.height, { fit: 'fill', kernel })
          .png()
          .toBuffer();
        layers.push({ input, left, top });
      }
      const fits = Math.floor((widths[column] as number) / 6);
      label.forEach((line, i) => {
        const y = top + height(row) + (i + 1) * lineHeight - 3;
        const text = line.length > fits ? `${line.slice(0, fits - 1)}…` : line;
        texts.push(`<text x="${left}" y="${y}">${escape(text)}</text>`);
      });
    }
  }
  const [fullWidth, fullHeight] = [start(widths, columns), start(heights, rows.length)];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${fullWidth}" height="${fullHeight}" font-family="monospace" font-size="10">${texts.join('')}</svg>`;
  const canvas = { width: fullWidth, height: fullHeight, channels: 3 as const, background: 'white' };
  await sharp({ create: canvas })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toFile(file);
}

const escape = (text: string) =>
  text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] as string);

/** Bytes of 1 or 3 channels at the size that they are shown at. */
function pictureOf(image: HostArray): Picture | undefined {
  const [height, width, channels] = image.shape.slice(-3) as [number, number, number];
  if (image.shape.length < 3 || height * width * channels === 0) return undefined;
  const shown = channels >= 3 ? 3 : 1;
  const bytes = allocate('uint8', [height, width, shown]);
  const toByte = byteOf(image);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < shown; c++)
      bytes.data[i * shown + c] = toByte(image.data[i * channels + c] as number);
  }
  const side = Math.max(height, width);
  const scale = side > most ? most / side : Math.max(1, Math.floor(most / 2 / side));
  return {
    bytes,
    height: Math.max(1, Math.round(height * scale)),
    width: Math.max(1, Math.round(width * scale)),
  };
}

/** Bytes as they are, anything else stretched from its least value to its greatest; -1..1 and 0..1 keep their meaning. */
function byteOf({ dtype, data }: HostArray): (x: number) => number {
  if (dtype === 'uint8') return (x) => x;
  let [low, high] = [Infinity, -Infinity];
  for (const x of data) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (dtype === 'float32' && low >= -1 && high <= 1) [low, high] = [low < 0 ? -1 : 0, 1];
  const range = high - low || 1;
  return (x) => Math.round((255 * (x - low)) / range);
}
