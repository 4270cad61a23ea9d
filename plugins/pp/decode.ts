// Bytes of a file to pixels: JPEG through libjpeg-turbo with its fast DCT, as in TensorFlow; all else through libvips
// (sharp). Both are loaded when the first image needs them.

import type sharpModule from 'sharp';
import type { Sharp } from 'sharp';
import { allocate, HostArray } from '../../core/array';
import { decodeBmp } from './bmp';
import { errors } from './features';
import { componentsOf, decodeJpeg, withoutColourTransform } from './jpeg';
import { cropImage, type Window } from './resize';

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

interface DecodeOptions {
  /** Of the result; 0 is as in the file. */
  readonly channels: Channels;
  /** For errors. */
  readonly op: string;
  /** The accurate DCT for JPEG, as PIL, OpenCV and PyTorch have it, instead of TensorFlow's default. */
  readonly precise?: boolean;
  /** A part of the image. */
  readonly window?: Window;
}

/** The pixels as in the file: no rotation by EXIF, no colour profile, alpha dropped rather than blended. */
export async function decodeImage(
  bytes: Uint8Array,
  { channels, op, precise = false, window }: DecodeOptions,
): Promise<HostArray<'uint8'>> {
  if (bytes[0] === 0x42 && bytes[1] === 0x4d) {
    const image = decodeBmp(bytes);
    if (typeof image === 'string') throw errors.undecodable({ op, reason: image, bytes: bytes.length });
    return withChannels(image, channels || (image.shape[2] as number));
  }
  const fast = precise ? undefined : await decodeJpeg(bytes, channels);
  if (fast) return window ? cropImage(fast, window) : fast;
  try {
    // What is truncated fails; a warning doesn't.
    const components = componentsOf(bytes);
    const luma = channels === 1 && components === 3;
    const image: Sharp = sharp()(luma ? withoutColourTransform(bytes) : bytes, {
      failOn: 'error',
      ignoreIcc: true,
      limitInputPixels: false,
    });
    const inks = components === 4;
    const alwaysColour = inks || bytes[0] === 0x47;
    const wanted = channels || (alwaysColour ? 3 : ((await image.metadata()).channels ?? 3));
    if (window) image.extract(window);
    if (luma) image.extractChannel(0);
    else if (inks) image.pipelineColourspace('cmyk').toColourspace('cmyk');
    else if (wanted !== 4 && wanted !== 2) image.removeAlpha();
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const found = new HostArray('uint8', [info.height, info.width, info.channels], pixels);
    // PNG: as in the original, what is opaque is the largest number of the file's own bits, be they fewer than eight.
    const opaque = bytes[0] === 0x89 ? Math.min(255, 2 ** (bytes[24] as number) - 1) : 255;
    return withChannels(inks ? fromInks(found) : found, wanted, opaque);
  } catch (error) {
    const reason = String((error as Error).message).split('\n')[0] as string;
    throw errors.undecodable({ op, reason, bytes: bytes.length });
  }
}

/** Red, green and blue of cyan, magenta, yellow and black, without a colour profile. */
function fromInks(image: HostArray<'uint8'>): HostArray<'uint8'> {
  const out = allocate('uint8', [...image.shape.slice(0, 2), 3]);
  const { data } = image;
  for (let from = 0, to = 0; from < data.length; from += 4) {
    const light = 255 - (data[from + 3] as number);
    for (let c = 0; c < 3; c++) out.data[to++] = (light * (255 - (data[from + c] as number))) / 255;
  }
  return out;
}

/** Gray to colour by repeating, colour to gray by ITU-R 601 in libpng's integers, alpha added as opaque or dropped. */
function withChannels(image: HostArray<'uint8'>, channels: number, opaque = 255): HostArray<'uint8'> {
  const [height, width, had] = image.shape as [number, number, number];
  if (had === channels) return image;
  const out = allocate('uint8', [height, width, channels]);
  const { data } = image;
  for (let from = 0, to = 0; from < data.length; from += had, to += channels) {
    const r = data[from] as number;
    const g = had >= 3 ? (data[from + 1] as number) : r;
    const b = had >= 3 ? (data[from + 2] as number) : r;
    if (channels < 3) out.data[to] = (9797 * r + 19234 * g + 3737 * b) >> 15;
    else {
      out.data[to] = r;
      out.data[to + 1] = g;
      out.data[to + 2] = b;
    }
    if (channels === 4) out.data[to + 3] = had === 2 ? (data[from + 1] as number) : opaque;
    if (channels === 2) out.data[to + 1] = had === 4 ? (data[from + 3] as number) : opaque;
  }
  return out;
}

/** What JPEG of a quality (1 to 100, chroma at half the resolution) leaves of an image of 1 or 3 channels. */
export async function throughJpeg(
  image: HostArray<'uint8'>,
  quality: number,
  precise: boolean,
): Promise<HostArray<'uint8'>> {
  const [height, width, channels] = image.shape as [number, number, 1 | 3];
  const raw = sharp()(image.data, { raw: { width, height, channels } });
  const bytes = await raw.jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false }).toBuffer();
  return decodeImage(bytes, { channels, op: 'random_jpeg', precise });
}
