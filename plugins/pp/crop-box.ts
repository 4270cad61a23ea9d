// The random box of an Inception crop, drawn as TensorFlow's sample_distorted_bounding_box does it when there are no
// objects: its height is uniform within what the areas allow at a given aspect, and 100 attempts are made. Arithmetic is
// float32: where a limit falls on a whole number of pixels, rounding says whether it counts.

import type { ExampleRng } from '../../core/extensions';
import { roundHalfEven } from '../../core/round';
import type { Window } from './resize';

export interface BoxOptions {
  /** Fractions of the image. */
  readonly area: readonly [min: number, max: number];
  /** Width over height. */
  readonly aspect: readonly [min: number, max: number];
}

const attempts = 100;
const { fround } = Math;

export function sampleBox(
  height: number,
  width: number,
  { area, aspect }: BoxOptions,
  rng: ExampleRng,
  accept: (box: Window) => boolean = () => true,
): Window {
  const pixels = (part: number) => fround(fround(fround(part) * width) * height);
  const [least, most] = [pixels(area[0]), pixels(area[1])];
  const [narrowest, widest] = [fround(aspect[0]), fround(aspect[1])];
  for (let i = 0; i < attempts; i++) {
    const ratio = fround(fround(fround(rng.uniform()) * fround(widest - narrowest)) + narrowest);
    const box = boxOfAspect(height, width, ratio, least, most, rng);
    if (box && accept(box)) return box;
  }
  return { top: 0, left: 0, height, width };
}

function boxOfAspect(
  height: number,
  width: number,
  ratio: number,
  least: number,
  most: number,
  rng: ExampleRng,
): Window | undefined {
  const widthAt = (h: number) => roundHalfEven(fround(h * ratio));
  const heightAt = (pixels: number) => roundHalfEven(fround(Math.sqrt(fround(pixels / ratio))));
  let tallest = heightAt(most);
  if (widthAt(tallest) > width) {
    tallest = Math.floor((width + 0.5 - 1e-7) / ratio);
    if (widthAt(tallest) > width) tallest--;
  }
  tallest = Math.min(tallest, height);
  let h = Math.min(heightAt(least), tallest);
  if (h < tallest) h += rng.integer(0, tallest - h + 1);
  // Rounding may have put the area just outside of its range.
  if (h * widthAt(h) < least) h++;
  if (h * widthAt(h) > most) h--;
  const w = widthAt(h);
  if (h * w < least || h * w > most || w > width || h > height || w <= 0 || h <= 0) return undefined;
  // The last offset is never drawn; so it is in the original.
  const top = h < height ? rng.integer(0, height - h) : 0;
  const left = w < width ? rng.integer(0, width - w) : 0;
  return { top, left, height: h, width: w };
}
