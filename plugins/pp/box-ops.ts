// Boxes and flips that are drawn once and applied to several features (an image and its mask): the original's ops for UViM.
// Coordinates of boxes are fractions of the image.

import { z } from 'zod';
import { allocate, HostArray, hostArray } from '../../core/array';
import type { Feature, Implementation } from '../../core/extensions';
import { isDict } from '../../core/tree';
import { sampleBox } from './crop-box';
import { mirrored } from './crop-ops';
import {
  arrayOf,
  describeFeature,
  entryOf,
  errors,
  exampleOp,
  featureOf,
  type Image,
  imageOf,
  keyedOp,
} from './features';
import { cropImage, type Window } from './resize';

const range = (doc: string, low: number, high: number) =>
  z.tuple([z.number().positive(), z.number().positive()]).default([low, high]).describe(doc);

const inception_box = exampleOp({
  doc: "Draws a random box as inception_crop does, for crop_box to use: a pair of (y, x) and (height, width), fractions of the image. With min_obj_cover it covers that part of at least one of the example's objects.",
  options: {
    area: range('least and greatest area, as fractions of the image', 0.05, 1),
    aspect: range('least and greatest width / height', 0.75, 1.33),
    min_obj_cover: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('part of some box of objects/bbox that must be inside'),
    outkey: z.string().default('box').describe('key to write'),
    inkey: z.string().default('image').describe('key of the image'),
  },
  create: ({ area, aspect, min_obj_cover, outkey, inkey }) => {
    return (example, rng) => {
      const [height, width] = imageOf(featureOf(example, inkey, 'inception_box'), inkey, 'inception_box').shape as [number, number]; // prettier-ignore
      const objects = min_obj_cover > 0 ? objectsOf(example, height, width) : [];
      const box = sampleBox(
        height,
        width,
        { area, aspect },
        rng,
        (window) => objects.length === 0 || objects.some((object) => covers(window, object, min_obj_cover)),
      );
      const { fround } = Math;
      const [top, left] = [fround(box.top / height), fround(box.left / width)];
      const bottom = fround((box.top + box.height) / height);
      const right = fround((box.left + box.width) / width);
      const pairs = [[top, left], [bottom - top, right - left]]; // prettier-ignore
      return { ...example, [outkey]: pairs.map((pair) => hostArray('float32', [2], pair)) };
    };

    function objectsOf(
      example: { readonly [key: string]: Feature },
      height: number,
      width: number,
    ): Window[] {
      const objects = featureOf(example, 'objects', 'inception_box');
      const bbox = isDict(objects) ? (objects.bbox as Feature) : objects;
      const { data, shape } = arrayOf(bbox, 'objects/bbox', 'inception_box');
      return Array.from({ length: shape[0] as number }, (_, i) => {
        const edges = [0, 1, 2, 3].map((k) => Math.trunc(Math.fround((data[4 * i + k] as number) * (k % 2 ? width : height)))); // prettier-ignore
        const [top, left, bottom, right] = edges as [number, number, number, number];
        return { top, left, height: bottom - top, width: right - left };
      });
    }
  },
});

/** Objects smaller than a pixel count for nothing. */
function covers(window: Window, object: Window, part: number): boolean {
  const area = object.height * object.width;
  const overlap = (from: number, size: number, otherFrom: number, otherSize: number) =>
    Math.max(0, Math.min(from + size, otherFrom + otherSize) - Math.max(from, otherFrom));
  const common =
    overlap(window.top, window.height, object.top, object.height) *
    overlap(window.left, window.width, object.left, object.width);
  return area >= 1 && common / area >= part;
}

const crop_box = keyedOp('crop_box', {
  doc: 'Cuts out the box that inception_box drew; fractions of pixels are cut off.',
  options: { boxkey: z.string().default('box').describe('key of the box: (y, x) and (height, width)') },
  make: ({ boxkey }) => {
    return (value, _, key, example) => {
      const image = imageOf(value, key, 'crop_box');
      const [h, w] = image.shape as [number, number, number];
      const box = featureOf(example, boxkey, 'crop_box');
      // An array of both, a pair, or the features that a case has for one.
      const [begin, size] = (box instanceof HostArray ? [entryOf(box, 0), entryOf(box, 1)] : Object.values(box)) as [Feature, Feature]; // prettier-ignore
      const pixels = (fractions: Feature, axis: number) =>
        Math.trunc(
          Math.fround((arrayOf(fractions, boxkey, 'crop_box').data[axis] as number) * (axis ? w : h)),
        );
      const [top, left] = [pixels(begin, 0), pixels(begin, 1)];
      const [height, width] = [pixels(size, 0), pixels(size, 1)];
      if (top < 0 || left < 0 || top + height > h || left + width > w) {
        throw errors.size({
          op: 'crop_box',
          problem: `can't cut ${height}x${width} pixels at (${top}, ${left}) out of an image of ${h}x${w}`,
          fix: `make the box of "${boxkey}" with inception_box(inkey='${key}').`,
        });
      }
      return cropImage(image, { top, left, height, width });
    };
  },
});

const randu = exampleOp({
  doc: 'Draws a uniform random number in [0, 1).',
  options: { key: z.string().describe('key to write') },
  positional: ['key'],
  create:
    ({ key }) =>
    (example, rng) => ({ ...example, [key]: hostArray('float32', [], [rng.uniform() * (1 - 2 ** -24)]) }),
});

const det_fliplr = keyedOp('det_fliplr', {
  doc: 'Mirrors an image left to right if a number of the example, which randu drew, is above 0.5.',
  options: { randkey: z.string().default('fliplr').describe('key of the number') },
  make:
    ({ randkey }) =>
    (value, _, key, example) => {
      const image = imageOf(value, key, 'det_fliplr');
      const { data } = arrayOf(featureOf(example, randkey, 'det_fliplr'), randkey, 'det_fliplr');
      return (data[0] as number) > 0.5 ? mirrored(image) : image;
    },
});

const nyuWindow: Window = { top: 54, left: 41, height: 426, width: 560 };

const nyu_eval_crop = exampleOp({
  doc: 'Crops image and labels of NYU depth (480x640) to the part that is evaluated.',
  options: {},
  create: () => (example) => {
    const crop = (key: string) => {
      const image = imageOf(featureOf(example, key, 'nyu_eval_crop'), key, 'nyu_eval_crop');
      if (image.shape[0] === 480 && image.shape[1] === 640) return cropImage(image, nyuWindow);
      const fix = 'put the op before all that changes sizes.';
      throw errors.kind({ op: 'nyu_eval_crop', key, found: describeFeature(image), expected: 'of 480x640 pixels', fix }); // prettier-ignore
    };
    return { ...example, labels: crop('labels'), image: crop('image') };
  },
});

const draw_bbox = exampleOp({
  doc: 'Draws a box in red into an image, which becomes float32 and loses axes of length 1.',
  options: {
    image_key: z.string().default('image').describe('key of the image, of values up to 255'),
    bbox_key: z.string().default('bbox').describe('key of the box: y0, x0, y1, x1 as fractions'),
  },
  positional: ['image_key', 'bbox_key'],
  create:
    ({ image_key, bbox_key }) =>
    (example) => {
      const image = imageOf(featureOf(example, image_key, 'draw_bbox'), image_key, 'draw_bbox');
      const box = arrayOf(featureOf(example, bbox_key, 'draw_bbox'), bbox_key, 'draw_bbox');
      const { shape, data } = withBox(image, Array.from(box.data));
      return { ...example, [image_key]: hostArray('float32', shape.filter((length) => length !== 1), data) }; // prettier-ignore
    },
});

/** Edges of one pixel at the box's corners, which are floored; what lies outside is left out. */
function withBox(image: Image, box: readonly number[]): HostArray<'float32'> {
  const [height, width, channels] = image.shape as [number, number, number];
  const out = allocate('float32', image.shape);
  out.data.set(image.data);
  const at = (k: number, length: number) => Math.trunc(Math.fround((box[k] as number) * (length - 1)));
  const [top, left, bottom, right] = [at(0, height), at(1, width), at(2, height), at(3, width)];
  const paint = (y: number, x: number) => {
    if (y < 0 || y >= height || x < 0 || x >= width) return;
    for (let c = 0; c < channels; c++) out.data[(y * width + x) * channels + c] = c === 0 ? 255 : 0;
  };
  if (top > bottom || left > right) return out;
  for (let x = left; x <= right; x++) [top, bottom].forEach((y) => paint(y, x));
  for (let y = top; y <= bottom; y++) [left, right].forEach((x) => paint(y, x));
  return out;
}

export const boxOps: Readonly<Record<string, Implementation<'pp'>>> = {
  inception_box,
  crop_box,
  randu,
  det_fliplr,
  nyu_eval_crop,
  draw_bbox,
};
