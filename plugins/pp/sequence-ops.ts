// Images as sequences of patches of any aspect: the original's ops for NaFlex (SigLIP 2, arXiv:2502.14786).

import { z } from 'zod';
import { allocate, hostArray } from '../../core/array';
import type { Example, Feature, Implementation } from '../../core/extensions';
import { subtree, type Tree } from '../../core/tree';
import { errors, exampleOp, featureOf, type Image, imageOf, keyedOp } from './features';
import { cropImage, resizeImage } from './resize';
import { pair, side, sizeOption } from './size-options';

const { fround } = Math;

interface Limits {
  readonly patch_size: number;
  readonly max_sequence_len: number;
  readonly divisible_by_patch: boolean;
  readonly eps: number;
}

const limits = {
  patch_size: side.describe('side of a patch, in pixels'),
  max_sequence_len: z.int().min(1).describe('most patches that the image may have'),
  divisible_by_patch: z
    .boolean()
    .default(true)
    .describe('whole patches only, at the cost of the proportions'),
  eps: z.number().positive().default(1e-5).describe('where the search for the scale ends'),
};
const positional = ['patch_size', 'max_sequence_len', 'divisible_by_patch', 'eps'] as const;

/** The largest size with the image's proportions whose patches are few enough, by bisection of the scale in float32. */
function sizeForSequence(op: string, image: Image, options: Limits): readonly [number, number] {
  const [height, width] = image.shape as [number, number, number];
  const { patch_size, max_sequence_len, divisible_by_patch, eps } = options;
  const scaled = (length: number, ratio: number) => {
    const target = fround(length * ratio);
    const whole = divisible_by_patch ? patch_size * Math.ceil(fround(target / patch_size)) : target;
    return Math.trunc(Math.max(whole, patch_size));
  };
  const sizeAt = (ratio: number) => [scaled(height, ratio), scaled(width, ratio)] as const;
  const fits = ([h, w]: readonly [number, number]) => (h / patch_size) * (w / patch_size) <= max_sequence_len;
  let [low, high] = [fround(eps / 10), 100];
  while (fround(high - low) >= fround(eps)) {
    const middle = fround(fround(low + high) / 2);
    // No number is between them; the original would search on for ever.
    if (middle === low || middle === high) break;
    if (fits(sizeAt(middle))) low = middle;
    else high = middle;
  }
  if (low > fround(eps) && low < 100) return sizeAt(low);
  throw errors.size({
    op,
    problem: `finds no size for an image of ${height}x${width} pixels in ${max_sequence_len} patches`,
    fix: 'leave such images out, or change max_sequence_len.',
  });
}

const resize_to_sequence = keyedOp('resize_to_sequence', {
  doc: 'Resizes an image so that it has as many patches as possible, but not more than max_sequence_len; antialiased, as float32. Proportions are kept, but for what makes whole patches.',
  options: limits,
  positional,
  make: (options) => (value, _, key) => {
    const image = imageOf(value, key, 'resize_to_sequence');
    const floats = hostArray('float32', image.shape, image.data);
    const size = sizeForSequence('resize_to_sequence', image, options);
    return resizeImage(floats, size, { method: 'bilinear', antialias: true });
  },
});

const central_crop_to_sequence = keyedOp('central_crop_to_sequence', {
  doc: 'Cuts out the middle of an image, of the size that resize_to_sequence would give it.',
  options: limits,
  positional,
  make: (options) => (value, _, key) => {
    const image = imageOf(value, key, 'central_crop_to_sequence');
    const [h, w] = image.shape as [number, number, number];
    const [height, width] = sizeForSequence('central_crop_to_sequence', image, options);
    if (height <= h && width <= w) {
      return cropImage(image, { top: (h - height) >> 1, left: (w - width) >> 1, height, width });
    }
    throw errors.size({
      op: 'central_crop_to_sequence',
      problem: `can't cut ${height}x${width} pixels out of an image of ${h}x${w}`,
      fix: 'use resize_to_sequence, or ask for fewer patches.',
    });
  },
});

const patchify = keyedOp('patchify', {
  doc: 'Cuts an image into patches: {patches: [n, patch height * patch width * channels], yidx: [n], xidx: [n], type: [n] of ones}. What is left over at the right and below is dropped.',
  options: { patch_size: sizeOption.describe('height and width of a patch: one number for both, or a pair') },
  positional: ['patch_size'],
  make: ({ patch_size }) => {
    const [height, width] = pair(patch_size);
    return (value, _, key) => {
      const image = imageOf(value, key, 'patchify');
      const [h, w, channels] = image.shape as [number, number, number];
      const [rows, columns] = [Math.floor(h / height), Math.floor(w / width)];
      const count = rows * columns;
      const patches = allocate(image.dtype, [count, height * width * channels]);
      const length = width * channels;
      for (let n = 0, to = 0; n < count; n++) {
        const top = Math.floor(n / columns) * height;
        const left = (n % columns) * width;
        for (let y = top; y < top + height; y++, to += length) {
          const from = (y * w + left) * channels;
          patches.data.set(image.data.subarray(from, from + length), to);
        }
      }
      const index = (of: (n: number) => number) => hostArray('int32', [count], Int32Array.from({ length: count }, (_, n) => of(n))); // prettier-ignore
      return {
        patches,
        yidx: index((n) => Math.floor(n / columns)),
        xidx: index((n) => n % columns),
        type: index(() => 1),
      };
    };
  },
});

const tuplify = exampleOp({
  doc: 'Puts features into a list under one key.',
  options: {
    inkeys: z.array(z.string()).min(1).describe('keys, with slashes for nested features: image/patches'),
    outkey: z.string().describe('key to write'),
  },
  positional: ['inkeys', 'outkey'],
  create:
    ({ inkeys, outkey }) =>
    (example: Example) => {
      const found = inkeys.map(
        (key) => subtree(example as Tree<Feature>, key) ?? featureOf(example, key, 'tuplify'),
      );
      return { ...example, [outkey]: found as Feature[] };
    },
});

export const sequenceOps: Readonly<Record<string, Implementation<'pp'>>> = {
  resize_to_sequence,
  central_crop_to_sequence,
  patchify,
  tuplify,
};
