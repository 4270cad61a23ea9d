// Crops and flips. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate } from '../../core/array';
import type { Implementation } from '../../core/extensions';
import { sampleBox } from './crop-box';
import { errors, type Image, imageOf, keyedOp } from './features';
import { cropImage, resizeImage, type ResizeOptions, type Window } from './resize';
import { antialiasOption, methodOption, optionalSize, pair, type Size, sizeOption } from './size-options';

export const inceptionOptions = {
  size: optionalSize.describe('size that the crop is resized to; None keeps it as it is'),
  area_min: z
    .number()
    .positive()
    .max(100)
    .default(5)
    .describe('least area of the crop, in percent of the image'),
  area_max: z
    .number()
    .positive()
    .max(100)
    .default(100)
    .describe('greatest area of the crop, in percent of the image'),
};

export const percent = (min: number, max: number) => [min / 100, max / 100] as const;

export function finishCrop(image: Image, window: Window, size: Size | null, options: ResizeOptions): Image {
  return size ? resizeImage(image, pair(size), options, window) : cropImage(image, window);
}

const inception_crop = keyedOp('inception_crop', {
  doc: 'Cuts out a random box, of random area and with an aspect of 0.75 to 1.33, and resizes it (Szegedy et al., arXiv:1409.4842). The whole image if 100 attempts find no box.',
  options: {
    ...inceptionOptions,
    method: methodOption.default('bilinear'),
    antialias: antialiasOption.default(false),
  },
  positional: ['size', 'area_min', 'area_max', 'method', 'antialias'],
  make: ({ size, area_min, area_max, ...options }) => {
    const box = { area: percent(area_min, area_max), aspect: [0.75, 1.33] } as const;
    return (value, rng, key) => {
      const image = imageOf(value, key, 'inception_crop');
      const [height, width] = image.shape as [number, number, number];
      return finishCrop(image, sampleBox(height, width, box, rng), size, options);
    };
  },
});

function checkFits(op: string, image: Image, [height, width]: readonly [number, number]): void {
  const [h, w] = image.shape as [number, number, number];
  if (height <= h && width <= w) return;
  throw errors.size({
    op,
    problem: `can't cut ${height}x${width} pixels out of an image of ${h}x${w}`,
    fix: `put resize_small(${Math.max(height, width)}) before it, or ask for a smaller crop.`,
  });
}

const random_crop = keyedOp('random_crop', {
  doc: 'Cuts out a box of a given size at a random place; every place is equally likely.',
  options: { crop_size: sizeOption.describe('height and width of the crop: one number for both, or a pair') },
  positional: ['crop_size'],
  make: ({ crop_size }) => {
    const [height, width] = pair(crop_size);
    return (value, rng, key) => {
      const image = imageOf(value, key, 'random_crop');
      checkFits('random_crop', image, [height, width]);
      const [h, w] = image.shape as [number, number, number];
      return cropImage(image, {
        top: rng.integer(0, h - height + 1),
        left: rng.integer(0, w - width + 1),
        height,
        width,
      });
    };
  },
});

const central_crop = keyedOp('central_crop', {
  doc: 'Cuts out the middle of an image.',
  options: {
    crop_size: optionalSize.describe(
      'height and width of the crop: one number for both, or a pair; None is the largest square',
    ),
  },
  positional: ['crop_size'],
  make:
    ({ crop_size }) =>
    (value, _, key) => {
      const image = imageOf(value, key, 'central_crop');
      const [h, w] = image.shape as [number, number, number];
      const [height, width] = pair(crop_size || Math.min(h, w));
      checkFits('central_crop', image, [height, width]);
      return cropImage(image, { top: (h - height) >> 1, left: (w - width) >> 1, height, width });
    },
});

const flip_lr = keyedOp('flip_lr', {
  doc: 'Mirrors an image left to right, in half of all cases.',
  make: () => (value, rng, key) => {
    const image = imageOf(value, key, 'flip_lr');
    return rng.uniform() < 0.5 ? mirrored(image) : image;
  },
});

export function mirrored(image: Image): Image {
  const [, width, channels] = image.shape as [number, number, number];
  const out = allocate(image.dtype, image.shape);
  const { data } = image;
  const target = out.data;
  const length = width * channels;
  for (let row = 0; row < target.length; row += length) {
    for (let to = row, from = row + length - channels; from >= row; from -= channels) {
      if (channels === 3) {
        target[to] = data[from] as number;
        target[to + 1] = data[from + 1] as number;
        target[to + 2] = data[from + 2] as number;
        to += 3;
      } else
        for (let channel = 0; channel < channels; channel++) target[to++] = data[from + channel] as number;
    }
  }
  return out;
}

export const cropOps: Readonly<Record<string, Implementation<'pp'>>> = {
  inception_crop,
  random_crop,
  central_crop,
  flip_lr,
};
