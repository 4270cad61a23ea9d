// Ops on images: decoding, sizes, crops and value ranges. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, HostArray } from '../../core/array';
import type { ExampleRng, Feature, Implementation } from '../../core/extensions';
import { sampleBox } from './crop-box';
import { type Channels, decodeImage, jpegSize } from './decode';
import { arrayOf, describeFeature, errors, type Image, imageOf, keyedOp } from './features';
import {
  cropImage,
  resizeImage,
  resizeMethods,
  type ResizeOptions,
  roundHalfEven,
  type Window,
} from './resize';

const side = z.int().min(1);
const sizeOption = z.union([side, z.tuple([side, side])]);
const methodOption = z.enum(resizeMethods).describe('how new pixels are made from old ones');
const antialiasOption = z
  .boolean()
  .describe('smooth before shrinking (bilinear and bicubic); the original leaves it off');

type Size = z.output<typeof sizeOption>;
const pair = (size: Size): readonly [number, number] => (typeof size === 'number' ? [size, size] : size);

// ---- Decoding ----------------------------------------------------------------------------------------------------------

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
      .describe('the accurate DCT for JPEG; the decoder here always uses it, so this changes nothing'),
  },
  positional: ['channels', 'precise'],
  make:
    ({ channels }) =>
    (value, _, key) =>
      decoded(value, key, 'decode', (bytes) =>
        decodeImage(bytes, { channels: channels as Channels, op: 'decode' }),
      ),
});

// ---- Sizes -------------------------------------------------------------------------------------------------------------

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
    const factor = Math.fround(target / choose(height, width));
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
    smaller_size: side.describe('new length of the shorter side'),
    method: methodOption.default('area'),
    antialias: antialiasOption.default(false),
  },
  positional: ['smaller_size', 'method', 'antialias'],
  make: ({ smaller_size, ...options }) => resizeSide('resize_small', Math.min, smaller_size, options),
});

const resize_long = keyedOp('resize_long', {
  doc: 'Resizes the longer side of an image to a size and keeps its proportions; the shorter side is rounded.',
  options: {
    longer_size: side.describe('new length of the longer side'),
    method: methodOption.default('area'),
    antialias: antialiasOption.default(true),
  },
  positional: ['longer_size', 'method', 'antialias'],
  make: ({ longer_size, ...options }) => resizeSide('resize_long', Math.max, longer_size, options),
});

// ---- Crops -------------------------------------------------------------------------------------------------------------

const inceptionOptions = {
  size: sizeOption
    .nullable()
    .default(null)
    .describe('size that the crop is resized to; None keeps it as it is'),
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

const percent = (min: number, max: number) => [min / 100, max / 100] as const;

function finishCrop(image: Image, window: Window, size: Size | null, options: ResizeOptions): Image {
  return size === null ? cropImage(image, window) : resizeImage(image, pair(size), options, window);
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
        return size === null ? crop : resizeImage(crop, pair(size), options);
      }
      // Other formats have to be decoded whole.
      const whole = await decoded(value, key, op, (bytes) => decodeImage(bytes, { channels: 3, op }));
      const image = imageOf(whole, key, op);
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
    crop_size: sizeOption
      .nullable()
      .default(null)
      .describe('height and width of the crop: one number for both, or a pair; None is the largest square'),
  },
  positional: ['crop_size'],
  make:
    ({ crop_size }) =>
    (value, _, key) => {
      const image = imageOf(value, key, 'central_crop');
      const [h, w] = image.shape as [number, number, number];
      const [height, width] = crop_size === null ? pair(Math.min(h, w)) : pair(crop_size);
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

function mirrored(image: Image): Image {
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

// ---- Value ranges ------------------------------------------------------------------------------------------------------

const perChannel = z.union([z.number(), z.array(z.number()).min(1)]);
type PerChannel = z.output<typeof perChannel>;

/** Applies a function of a value and its channel to arrays; bytes go through a table. */
function valueMap(
  op: string,
  channelOptions: readonly PerChannel[],
  f: (x: number, channel: number) => number,
) {
  const lists = channelOptions.filter((option): option is number[] => typeof option !== 'number');
  const period = Math.max(1, ...lists.map((list) => list.length));
  let table: Float32Array | undefined;
  return (value: Feature, _: ExampleRng, key: string): HostArray<'float32'> => {
    const array = arrayOf(value, key, op);
    if (period > 1 && period !== array.shape.at(-1)) {
      throw errors.size({
        op,
        problem: `has an option with ${period} values, one for each channel, but ${describeFeature(array)} has ${array.shape.at(-1) ?? 'no'} channels`,
        fix: 'give a single number, or one for each channel.',
      });
    }
    const out = allocate('float32', array.shape);
    const target = out.data;
    const { data } = array;
    if (array.dtype !== 'uint8') {
      for (let i = 0; i < data.length; i++) target[i] = f(data[i] as number, i % period);
      return out;
    }
    table ??= Float32Array.from({ length: 256 * period }, (_, i) => f(i & 255, i >> 8));
    const known = table;
    if (period === 1) for (let i = 0; i < data.length; i++) target[i] = known[data[i] as number] as number;
    else {
      for (let i = 0; i < data.length;) {
        for (let c = 0; c < 256 * period; c += 256, i++) target[i] = known[c + (data[i] as number)] as number;
      }
    }
    return out;
  };
}

const at = (option: PerChannel, channel: number): number =>
  Math.fround(typeof option === 'number' ? option : (option[channel % option.length] as number));

const value_range = keyedOp('value_range', {
  doc: 'Maps values from [in_min, in_max] to [vmin, vmax] as float32.',
  options: {
    vmin: z.number().default(-1).describe('what in_min becomes'),
    vmax: z.number().default(1).describe('what in_max becomes'),
    in_min: perChannel.default(0).describe('a value of the input, or one for each channel'),
    in_max: perChannel.default(255).describe('a value of the input, or one for each channel'),
    clip_values: z.boolean().default(false).describe('clip the result to [vmin, vmax]'),
  },
  positional: ['vmin', 'vmax', 'in_min', 'in_max', 'clip_values'],
  make: ({ vmin, vmax, in_min, in_max, clip_values }) => {
    const { fround } = Math;
    const scale = (x: number, channel: number) => {
      const low = at(in_min, channel);
      const unit = fround(fround(fround(x) - low) / fround(at(in_max, channel) - low));
      const scaled = fround(fround(vmin) + fround(unit * fround(vmax - vmin)));
      return clip_values ? Math.min(Math.max(scaled, vmin), vmax) : scaled;
    };
    return valueMap('value_range', [in_min, in_max], scale);
  },
});

/** Subtracts a mean and divides by a deviation for each channel. */
function standardize(op: string, mean: readonly number[], std: readonly number[]) {
  const normal = (x: number, channel: number) =>
    Math.fround(Math.fround(Math.fround(x) - at(mean as number[], channel)) / at(std as number[], channel));
  return valueMap(op, [mean as number[], std as number[]], normal);
}

const vgg_value_range = keyedOp('vgg_value_range', {
  doc: 'Subtracts the mean and divides by the standard deviation of ImageNet, for each channel.',
  options: {
    mean: z
      .array(z.number())
      .default([0.485 * 255, 0.456 * 255, 0.406 * 255])
      .describe('one for each channel'),
    std: z
      .array(z.number())
      .default([0.229 * 255, 0.224 * 255, 0.225 * 255])
      .describe('one for each channel'),
  },
  positional: ['mean', 'std'],
  make: ({ mean, std }) => standardize('vgg_value_range', mean, std),
});

const clip_value_range = keyedOp('clip_value_range', {
  doc: "Subtracts the mean and divides by the standard deviation that OpenAI's CLIP models expect.",
  make: () =>
    standardize(
      'clip_value_range',
      [0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255],
      [0.26862954 * 255, 0.26130258 * 255, 0.27577711 * 255],
    ),
});

export const imageOps: Readonly<Record<string, Implementation<'pp'>>> = {
  decode,
  resize,
  resize_small,
  resize_long,
  inception_crop,
  decode_jpeg_and_inception_crop,
  random_crop,
  central_crop,
  flip_lr,
  value_range,
  vgg_value_range,
  clip_value_range,
};
