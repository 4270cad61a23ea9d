// Ops that change the size of images. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, HostArray } from '../../core/array';
import type { ExampleRng, Feature, Implementation } from '../../core/extensions';
import { roundHalfEven } from '../../core/round';
import { arrayOf, errors, imageOf, keyedOp } from './features';
import { resizeImage, type ResizeMethod, type ResizeOptions } from './resize';
import { antialiasOption, methodOption, pair, sizeOption } from './size-options';

/** Resizes images, and stacks of them along leading axes (videos). */
function resized(
  value: Feature,
  key: string,
  op: string,
  size: readonly [number, number],
  options: ResizeOptions,
) {
  const array = arrayOf(value, key, op);
  if (array.shape.length !== 4) return resizeImage(imageOf(value, key, op), size, options);
  const [frames, height, width, channels] = array.shape as [number, number, number, number];
  const out = allocate(array.dtype, [frames, ...size, channels]);
  for (let i = 0; i < frames; i++) {
    const part = array.data.subarray(i * height * width * channels, (i + 1) * height * width * channels);
    const image = imageOf(new HostArray(array.dtype, [height, width, channels], part), key, op);
    out.data.set(resizeImage(image, size, options).data, i * size[0] * size[1] * channels);
  }
  return out;
}

const resize = keyedOp('resize', {
  doc: "Resizes an image to a size, not keeping its proportions. Integers are computed in floating point, clipped to their type's range and truncated.",
  options: {
    size: sizeOption.describe('new height and width: one number for both, or a pair'),
    method: methodOption.default('bilinear'),
    antialias: antialiasOption.default(false),
  },
  positional: ['size', 'method', 'antialias'],
  make:
    ({ size, ...options }) =>
    (value, _, key) =>
      resized(value, key, 'resize', pair(size), options),
});

/** Both sides by the factor that brings the chosen one to `target`, in the original's float32 arithmetic. */
function resizeSide(
  op: string,
  choose: (height: number, width: number) => number,
  target: number,
  options: ResizeOptions,
) {
  return (value: Feature, _: ExampleRng, key: string) => {
    const image = imageOf(value, key, op);
    const [height, width] = image.shape as [number, number, number];
    const factor = Math.fround(Math.fround(target) / choose(height, width));
    const scaled = (length: number) => roundHalfEven(Math.fround(length * factor));
    const size = [scaled(height), scaled(width)] as const;
    if (size[0] < 1 || size[1] < 1) {
      throw errors.size({
        op,
        problem: `would make an image of ${height}x${width} pixels ${size[0]}x${size[1]}`,
        fix: 'ask for a larger size, or leave such images out.',
      });
    }
    return resizeImage(image, size, options);
  };
}

const resize_small = keyedOp('resize_small', {
  doc: 'Resizes the shorter side of an image to a size and keeps its proportions; the longer side is rounded.',
  options: {
    smaller_size: z.number().positive().describe('new length of the shorter side'),
    method: methodOption.default('area'),
    antialias: antialiasOption.default(false),
  },
  positional: ['smaller_size', 'method', 'antialias'],
  make: ({ smaller_size, ...options }) => resizeSide('resize_small', Math.min, smaller_size, options),
});

const resize_long = keyedOp('resize_long', {
  doc: 'Resizes the longer side of an image to a size and keeps its proportions; the shorter side is rounded.',
  options: {
    longer_size: z.number().positive().describe('new length of the longer side'),
    method: methodOption.default('area'),
    antialias: antialiasOption.default(true),
  },
  positional: ['longer_size', 'method', 'antialias'],
  make: ({ longer_size, ...options }) => resizeSide('resize_long', Math.max, longer_size, options),
});

const randomMethods: readonly ResizeMethod[] = ['bilinear', 'bicubic', 'lanczos3', 'area', 'mitchellcubic'];

const resize_r = keyedOp('resize_r', {
  doc: 'Resizes an image to a size by a random method (bilinear, bicubic, lanczos3, area or mitchellcubic), antialiased or not.',
  options: { size: sizeOption.describe('new height and width: one number for both, or a pair') },
  positional: ['size'],
  make:
    ({ size }) =>
    (value, rng, key) => {
      const drawn = rng.integer(0, 2 * randomMethods.length);
      const method = randomMethods[drawn >> 1] as ResizeMethod;
      return resized(value, key, 'resize_r', pair(size), { method, antialias: drawn % 2 === 0 });
    },
});

export const resizeOps: Readonly<Record<string, Implementation<'pp'>>> = {
  resize,
  resize_small,
  resize_long,
  resize_r,
};
