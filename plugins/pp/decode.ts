// Bytes of a file to pixels, through libvips (sharp), which is loaded when the first image needs it.

import type sharpModule from 'sharp';
import type { Sharp } from 'sharp';
import { allocate, HostArray } from '../../core/array';
import { decodeBmp } from './bmp';
import { errors } from './features';
import type { Window } from './resize';

type SharpModule = typeof sharpModule;
let loaded: SharpModule | undefined;

function sharp(): SharpModule {
  if (!loaded) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    loaded = require('sharp') as SharpModule;
    // Many images are decoded at once, so one thread for each; and no image is read twice.
    loaded.concurrency(1);
    loaded.cache(false);
  }
  return loaded;
}

export type Channels = 0 | 1 | 3 | 4;

interface Segment {
  readonly marker: number;
  /** Where its contents begin, behind the marker and the length. */
  readonly at: number;
}

/** The segments of a JPEG's header, up to its frame. */
function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    // Fill bytes and markers without contents.
    if (marker === 0xff || (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    yield { marker, at: at + 4 };
    if (isFrame(marker)) return;
    at += 2 + word(bytes, at + 2);
  }
}

const word = (bytes: Uint8Array, at: number) => ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

/** SOF0 to SOF15, without the three numbers among them that are no frames. */
const isFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;

/** Height and width of a JPEG from its header, or undefined if it isn't one. */
export function jpegSize(bytes: Uint8Array): { readonly height: number; readonly width: number } | undefined {
  if (!isJpeg(bytes)) return undefined;
  for (const { marker, at } of segmentsOf(bytes)) {
    if (isFrame(marker) && at + 5 <= bytes.length) {
      return { height: word(bytes, at + 1), width: word(bytes, at + 3) };
    }
  }
  return undefined;
}

/** How many a JPEG has; undefined for other files. */
function componentsOf(bytes: Uint8Array): number | undefined {
  if (!isJpeg(bytes)) return undefined;
  for (const { marker, at } of segmentsOf(bytes)) if (isFrame(marker)) return bytes[at + 5];
  return undefined;
}

/**
 * The same JPEG, declared to hold red, green and blue. The decoder then leaves its components alone, so that the first is
 * the luma as it was stored; computed back from colours, it would be off where these were clipped.
 */
function withoutColourTransform(bytes: Uint8Array): Uint8Array {
  const adobe = Uint8Array.from([0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0]);
  const out = new Uint8Array(bytes.length + adobe.length);
  out.set(bytes.subarray(0, 2));
  out.set(adobe, 2);
  out.set(bytes.subarray(2), 2 + adobe.length);
  for (const { marker, at } of segmentsOf(bytes)) {
    const here = at + adobe.length;
    // A JFIF marker says YCbCr whatever the other says, and of two Adobe markers the last counts.
    if (marker === 0xe0) out[here] = 0;
    if (marker === 0xee) out[here + 11] = 0;
  }
  return out;
}

/** The pixels as in the file: no rotation by EXIF, no colour profile, alpha dropped rather than blended. */
export async function decodeImage(
  bytes: Uint8Array,
  { channels, op, window }: { readonly channels: Channels; readonly op: string; readonly window?: Window },
): Promise<HostArray<'uint8'>> {
  if (bytes[0] === 0x42 && bytes[1] === 0x4d) {
    const image = decodeBmp(bytes);
    if (typeof image === 'string') throw errors.undecodable({ op, reason: image, bytes: bytes.length });
    return withChannels(image, channels === 0 ? 3 : channels);
  }
  try {
    // What is truncated fails; a warning doesn't.
    const luma = channels === 1 && componentsOf(bytes) === 3;
    const image: Sharp = sharp()(luma ? withoutColourTransform(bytes) : bytes, {
      failOn: 'error',
      ignoreIcc: true,
      limitInputPixels: false,
    });
    const wanted = channels === 0 ? ((await image.metadata()).channels ?? 3) : channels;
    if (window) image.extract(window);
    if (luma) image.extractChannel(0);
    else if (wanted !== 4) image.removeAlpha();
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return withChannels(new HostArray('uint8', [info.height, info.width, info.channels], pixels), wanted);
  } catch (error) {
    const reason = String((error as Error).message).split('\n')[0] as string;
    throw errors.undecodable({ op, reason, bytes: bytes.length });
  }
}

/** Gray to colour by repeating, colour to gray by ITU-R 601, alpha added as opaque or dropped. */
function withChannels(image: HostArray<'uint8'>, channels: number): HostArray<'uint8'> {
  const [height, width, had] = image.shape as [number, number, number];
  if (had === channels) return image;
  const out = allocate('uint8', [height, width, channels]);
  const { data } = image;
  for (let from = 0, to = 0; from < data.length; from += had, to += channels) {
    const r = data[from] as number;
    const g = had >= 3 ? (data[from + 1] as number) : r;
    const b = had >= 3 ? (data[from + 2] as number) : r;
    if (channels < 3) out.data[to] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else {
      out.data[to] = r;
      out.data[to + 1] = g;
      out.data[to + 2] = b;
    }
    if (channels === 4) out.data[to + 3] = had === 2 ? (data[from + 1] as number) : 255;
    if (channels === 2) out.data[to + 1] = had === 4 ? (data[from + 3] as number) : 255;
  }
  return out;
}

/** What JPEG of a quality (1 to 100, chroma at half the resolution) leaves of an image of 1 or 3 channels. */
export async function throughJpeg(image: HostArray<'uint8'>, quality: number): Promise<HostArray<'uint8'>> {
  const [height, width, channels] = image.shape as [number, number, 1 | 3];
  const raw = sharp()(image.data, { raw: { width, height, channels } });
  const bytes = await raw.jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false }).toBuffer();
  return decodeImage(bytes, { channels, op: 'random_jpeg' });
}
