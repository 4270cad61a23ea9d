// Geometric functions of AutoAugment: each output pixel is the input pixel nearest to where an affine map takes it, or a
// given colour where that is outside.

import { allocate, HostArray } from '../../core/array';
import type { ExampleRng } from '../../core/extensions';
import type { Bytes } from './colour';

/** Of a pixel that comes from outside; one value, or one for each channel. */
export type Fill = number | readonly number[];
export const gray: Fill = [128, 128, 128];

/** Output (x, y) comes from input (a x + b y + c, d x + e y + f). */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const { fround } = Math;

/** As C rounds: halves away from zero. */
const nearest = (x: number) => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));

function warp(image: Bytes, affine: Affine, fill: Fill): Bytes {
  const [height, width, channels] = image.shape as [number, number, number];
  const [a, b, c, d, e, f] = affine.map(fround) as unknown as Affine;
  const outside = Array.from({ length: channels }, (_, i) => (typeof fill === 'number' ? fill : (fill[i % fill.length] as number))); // prettier-ignore
  const out = allocate('uint8', image.shape);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const fromX = nearest(fround(fround(fround(a * x) + fround(b * y)) + c));
      const fromY = nearest(fround(fround(fround(d * x) + fround(e * y)) + f));
      const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
      const from = (fromY * width + fromX) * channels;
      if (inside) out.data.set(image.data.subarray(from, from + channels), to);
      else out.data.set(outside, to);
    }
  }
  return out;
}

/** Around the image's centre, counterclockwise for positive degrees. */
export function rotate(image: Bytes, degrees: number, fill: Fill): Bytes {
  const [height, width] = image.shape as [number, number, number];
  const angle = fround((degrees * Math.PI) / 180);
  const [cos, sin] = [fround(Math.cos(angle)), fround(Math.sin(angle))];
  const [right, bottom] = [width - 1, height - 1];
  const dx = fround(right - fround(fround(cos * right) - fround(sin * bottom))) / 2;
  const dy = fround(bottom - fround(fround(sin * right) + fround(cos * bottom))) / 2;
  return warp(image, [cos, -sin, dx, sin, cos, dy], fill);
}

export const translateX = (image: Bytes, pixels: number, fill: Fill): Bytes =>
  warp(image, [1, 0, pixels, 0, 1, 0], fill);

export const translateY = (image: Bytes, pixels: number, fill: Fill): Bytes =>
  warp(image, [1, 0, 0, 0, 1, pixels], fill);

export const shearX = (image: Bytes, level: number, fill: Fill): Bytes =>
  warp(image, [1, level, 0, 0, 1, 0], fill);

export const shearY = (image: Bytes, level: number, fill: Fill): Bytes =>
  warp(image, [1, 0, 0, level, 1, 0], fill);

/** Fills a square of 2 * padSize pixels around a random pixel (DeVries & Taylor, arXiv:1708.04552). */
export function cutout(image: Bytes, padSize: number, fill: Fill, rng: ExampleRng): Bytes {
  const [height, width, channels] = image.shape as [number, number, number];
  const y = rng.integer(0, height);
  const x = rng.integer(0, width);
  const out = new HostArray('uint8', image.shape, image.data.slice());
  const [left, right] = [Math.max(0, x - padSize), Math.min(width, x + padSize)];
  for (let row = Math.max(0, y - padSize); row < Math.min(height, y + padSize); row++) {
    for (let i = (row * width + left) * channels; i < (row * width + right) * channels; i++)
      out.data[i] = typeof fill === 'number' ? fill : (fill[(i % channels) % fill.length] as number);
  }
  return out;
}
