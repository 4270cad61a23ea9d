// JPEG: what its header says, and decoding with libjpeg-turbo's fast integer DCT and smooth upsampling of chroma, which is
// what TensorFlow does unless told otherwise; the results are the same to the bit. The accurate DCT differs by up to 18.

import type * as jpegTurbo from '@julusian/jpeg-turbo';
import { HostArray } from '../../core/array';

let loaded: typeof jpegTurbo | undefined;

function turbo(): typeof jpegTurbo {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  loaded ??= require('@julusian/jpeg-turbo') as typeof jpegTurbo;
  return loaded;
}

/** uint8 [height, width, channels]; undefined for what isn't a JPEG of gray or colour, or is damaged. 0 channels: as in the file. */
export async function decodeJpeg(
  bytes: Uint8Array,
  channels: number,
): Promise<HostArray<'uint8'> | undefined> {
  const components = componentsOf(bytes);
  const wanted = channels || components;
  if ((components !== 1 && components !== 3) || (wanted !== 1 && wanted !== 3)) return undefined;
  const { decompress, FORMAT_GRAY, FORMAT_RGB } = turbo();
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const { data, width, height } = await decompress(file, {
      format: wanted === 1 ? FORMAT_GRAY : FORMAT_RGB,
    });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, height * width * wanted);
    return new HostArray('uint8', [height, width, wanted], pixels);
  } catch {
    return undefined;
  }
}

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

/** How many components a JPEG has; undefined for other files. */
export function componentsOf(bytes: Uint8Array): number | undefined {
  if (!isJpeg(bytes)) return undefined;
  for (const { marker, at } of segmentsOf(bytes)) if (isFrame(marker)) return bytes[at + 5];
  return undefined;
}

/**
 * The same JPEG, declared to hold red, green and blue. The decoder then leaves its components alone, so that the first is
 * the luma as it was stored; computed back from colours, it would be off where these were clipped.
 */
export function withoutColourTransform(bytes: Uint8Array): Uint8Array {
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
