// From the bytes of image files to pixels. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { HostArray } from '../../core/array';
import type { Feature, Implementation } from '../../core/extensions';
import { sampleBox } from './crop-box';
import { finishCrop, inceptionOptions, percent } from './crop-ops';
import { type Channels, decodeImage, throughJpeg } from './decode';
import { describeFeature, errors, imageOf, keyedOp } from './features';
import { jpegSize } from './jpeg';
import { resizeImage } from './resize';
import { antialiasOption, methodOption, pair } from './size-options';

/** Bytes are decoded; what is already an array passes. */
function decoded(
  value: Feature,
  key: string,
  op: string,
  decode: (bytes: Uint8Array) => Promise<HostArray>,
): Feature | Promise<Feature> {
  if (value instanceof HostArray) return value;
  if (value instanceof Uint8Array) return decode(value);
  throw errors.kind({
    op,
    key,
    found: describeFeature(value),
    expected: 'the bytes of an image file',
    fix: `name the key of the file's bytes: ${op}(key='image').`,
  });
}

const decode = keyedOp('decode', {
  doc: 'Decodes the bytes of an image file (JPEG, PNG, WebP, GIF, BMP) to uint8 [height, width, channels]. What is an array already stays as it is.',
  options: {
    channels: z
      .literal([0, 1, 3, 4])
      .default(3)
      .describe('of the result: 1 is gray, 3 is RGB, 4 is RGBA, 0 is as in the file'),
    precise: z
      .boolean()
      .default(false)
      .describe('the accurate DCT for JPEG, as PIL, OpenCV and PyTorch have it, instead of the fast one'),
  },
  positional: ['channels', 'precise'],
  make:
    ({ channels, precise }) =>
    (value, _, key) =>
      decoded(value, key, 'decode', (bytes) =>
        decodeImage(bytes, { channels: channels as Channels, op: 'decode', precise }),
      ),
});

const decode_jpeg_and_inception_crop = keyedOp('decode_jpeg_and_inception_crop', {
  doc: 'decode and inception_crop in one: the box comes from the header of the JPEG, and only what it needs is decoded.',
  options: {
    ...inceptionOptions,
    ratio_min: z.number().positive().default(0.75).describe('least width / height of the crop'),
    ratio_max: z.number().positive().default(1.33).describe('greatest width / height of the crop'),
    method: methodOption.default('bilinear'),
    antialias: antialiasOption.default(false),
  },
  positional: ['size', 'area_min', 'area_max', 'ratio_min', 'ratio_max', 'method', 'antialias'],
  make: ({ size, area_min, area_max, ratio_min, ratio_max, ...options }) => {
    const op = 'decode_jpeg_and_inception_crop';
    const box = { area: percent(area_min, area_max), aspect: [ratio_min, ratio_max] } as const;
    return async (value, rng, key) => {
      const header = value instanceof Uint8Array ? jpegSize(value) : undefined;
      if (value instanceof Uint8Array && header) {
        const window = sampleBox(header.height, header.width, box, rng);
        const crop = await decodeImage(value, { channels: 3, op, window });
        return size ? resizeImage(crop, pair(size), options) : crop;
      }
      // Other formats have to be decoded whole.
      const whole = await decoded(value, key, op, (bytes) => decodeImage(bytes, { channels: 3, op }));
      const image = imageOf(whole, key, op);
      const [height, width] = image.shape as [number, number, number];
      return finishCrop(image, sampleBox(height, width, box, rng), size, options);
    };
  },
});

const random_jpeg = keyedOp('random_jpeg', {
  doc: 'Encodes an image as JPEG and decodes it again, at a random quality from 75 to 95, with the fast or the accurate DCT; in a part of all cases. Takes uint8 images.',
  options: { p: z.number().min(0).max(1).describe('the probability') },
  positional: ['p'],
  make:
    ({ p }) =>
    async (value, rng, key) => {
      const image = imageOf(value, key, 'random_jpeg');
      if (rng.uniform() >= p) return image;
      if (image.dtype === 'uint8')
        return throughJpeg(image as HostArray<'uint8'>, rng.integer(75, 96), rng.uniform() < 0.5);
      const fix = 'put it before value_range.';
      throw errors.kind({ op: 'random_jpeg', key, found: describeFeature(image), expected: 'of uint8', fix });
    },
});

export const decodeOps: Readonly<Record<string, Implementation<'pp'>>> = {
  decode,
  decode_jpeg_and_inception_crop,
  random_jpeg,
};
