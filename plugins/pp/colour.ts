// Functions of the colours of uint8 images, as AutoAugment defines them (Cubuk et al., arXiv:1805.09501): PIL's, but for
// what the original does differently. Arithmetic is float32, results are truncated.

import { allocate, HostArray } from '../../core/array';
import type { Image } from './features';

export type Bytes = HostArray<'uint8'>;

const { fround } = Math;
const clip = (x: number) => (x <= 0 ? 0 : x >= 255 ? 255 : x);

function mapBytes(image: Bytes, f: (x: number) => number): Bytes {
  const table = Uint8Array.from({ length: 256 }, (_, x) => f(x));
  return new HostArray('uint8', image.shape, image.data.map((x) => table[x] as number)); // prettier-ignore
}

/** A table of 256 values for each channel. */
function mapChannels(image: Bytes, tableOf: (channel: number) => Uint8Array): Bytes {
  const channels = image.shape.at(-1) as number;
  const tables = Array.from({ length: channels }, (_, channel) => tableOf(channel));
  const out = allocate('uint8', image.shape);
  image.data.forEach((x, i) => (out.data[i] = (tables[i % channels] as Uint8Array)[x] as number));
  return out;
}

/** How often each value occurs in a channel. */
function histogram(image: Bytes, channel: number): number[] {
  const channels = image.shape.at(-1) as number;
  const counts = new Array<number>(256).fill(0);
  for (let i = channel; i < image.data.length; i += channels) counts[image.data[i] as number]!++;
  return counts;
}

/** Three equal channels of luma. [height, width, 3] */
export function grayOf<I extends Image>(image: I): I {
  const out = allocate(image.dtype, image.shape);
  const bytes = image.dtype === 'uint8';
  const range = bytes ? 255 : image.dtype === 'int32' ? 2 ** 31 - 1 : 1;
  for (let i = 0; i < out.data.length; i += 3) {
    const at = (channel: number) => fround((image.data[i + channel] as number) * fround(1 / range));
    const luma = fround(fround(0.2989) * at(0) + fround(0.587) * at(1) + fround(0.114) * at(2));
    // Half a level more, against rounding errors before the truncation.
    const value = image.dtype === 'float32' ? luma : Math.min(range, Math.trunc(luma * (range + 0.5)));
    out.data.fill(value, i, i + 3);
  }
  return out as I;
}

/** From the first image (factor 0) to the second (factor 1), and beyond, clipped. */
function blend(first: Bytes, second: Bytes, factor: number): Bytes {
  if (factor === 0) return first;
  if (factor === 1) return second;
  const out = allocate('uint8', second.shape);
  const part = fround(factor);
  for (let i = 0; i < out.data.length; i++) {
    const [x, y] = [first.data[i] as number, second.data[i] as number];
    out.data[i] = clip(fround(x + fround(part * (y - x))));
  }
  return out;
}

const uniform = (image: Bytes, value: number): Bytes => {
  const out = allocate('uint8', image.shape);
  out.data.fill(value);
  return out;
};

export const color = (image: Bytes, factor: number): Bytes => blend(grayOf(image), image, factor);

export const brightness = (image: Bytes, factor: number): Bytes => blend(uniform(image, 0), image, factor);

/** Blends with a gray that is, in the original and so here, the number of pixels over 256. */
export function contrast(image: Bytes, factor: number): Bytes {
  const pixels = (image.shape[0] as number) * (image.shape[1] as number);
  return blend(uniform(image, Math.min(255, Math.floor(pixels / 256))), image, factor);
}

export const invert = (image: Bytes): Bytes => mapBytes(image, (x) => 255 - x);

export const solarize = (image: Bytes, threshold = 128): Bytes =>
  mapBytes(image, (x) => (x < threshold ? x : 255 - x));

export const solarizeAdd = (image: Bytes, addition = 0, threshold = 128): Bytes =>
  mapBytes(image, (x) => (x < threshold ? clip(x + addition) : x));

/** Keeps the highest bits; TensorFlow's shifts go no further than 7. */
export function posterize(image: Bytes, bits: number): Bytes {
  const shift = Math.max(0, Math.min(7, 8 - bits));
  return mapBytes(image, (x) => (x >> shift) << shift);
}

/** Stretches each channel to 0..255. */
export function autocontrast(image: Bytes): Bytes {
  return mapChannels(image, (channel) => {
    const counts = histogram(image, channel);
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    const scale = fround(255 / (high - low));
    const offset = fround(-low * scale);
    return Uint8Array.from({ length: 256 }, (_, x) =>
      high > low ? clip(fround(fround(x * scale) + offset)) : x,
    );
  });
}

/** Makes the values of each channel equally frequent. */
export function equalize(image: Bytes): Bytes {
  return mapChannels(image, (channel) => {
    const counts = histogram(image, channel);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((total - (counts.findLast((count) => count > 0) ?? 0)) / 255);
    let before = 0;
    return Uint8Array.from(counts, (count, x) => {
      const value = x === 0 ? 0 : Math.floor((before + Math.floor(step / 2)) / step);
      before += count;
      return step === 0 ? x : clip(value);
    });
  });
}

/** Blends with the image smoothed by PIL's 3x3 kernel; the border stays as it is. */
export function sharpness(image: Bytes, factor: number): Bytes {
  const [height, width, channels] = image.shape as [number, number, number];
  const smooth = new HostArray('uint8', image.shape, image.data.slice());
  const stride = width * channels;
  const [side, centre] = [fround(1 / 13), fround(5 / 13)];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * stride + channels; i < (y + 1) * stride - channels; i++) {
      let sum = 0;
      for (let dy = -stride; dy <= stride; dy += stride) {
        for (let dx = -channels; dx <= channels; dx += channels) {
          const weight = dy === 0 && dx === 0 ? centre : side;
          // Rounded once, as the original's fused multiply-add does.
          sum = fround(sum + (image.data[i + dy + dx] as number) * weight);
        }
      }
      smooth.data[i] = clip(sum);
    }
  }
  return blend(smooth, image, factor);
}
