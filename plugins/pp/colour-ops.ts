// Value ranges and colours. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, type HostArray } from '../../core/array';
import type { ExampleRng, Feature, Implementation } from '../../core/extensions';
import { grayOf } from './colour';
import { arrayOf, describeFeature, errors, type Image, keyedOp } from './features';

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
    const array = repeated(arrayOf(value, key, op), period);
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

/** An array whose last axis has length 1 as `channels` equal ones. */
function repeated(array: HostArray, channels: number): HostArray {
  if (channels === 1 || array.shape.at(-1) !== 1) return array;
  const out = allocate(array.dtype, [...array.shape.slice(0, -1), channels]);
  array.data.forEach((x, i) => out.data.fill(x, i * channels, (i + 1) * channels));
  return out;
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
      return clip_values ? Math.max(Math.min(scaled, vmax), vmin) : scaled;
    };
    return valueMap('value_range', [in_min, in_max], scale);
  },
});

/** Subtracts a mean and divides by a deviation for each channel. */
function standardize(op: string, mean: PerChannel, std: PerChannel) {
  const normal = (x: number, channel: number) =>
    Math.fround(Math.fround(Math.fround(x) - at(mean, channel)) / at(std, channel));
  return valueMap(op, [mean, std], normal);
}

const vgg_value_range = keyedOp('vgg_value_range', {
  doc: 'Subtracts the mean and divides by the standard deviation of ImageNet, for each channel.',
  options: {
    mean: perChannel
      .default([0.485 * 255, 0.456 * 255, 0.406 * 255])
      .describe('a number, or one for each channel'),
    std: perChannel
      .default([0.229 * 255, 0.224 * 255, 0.225 * 255])
      .describe('a number, or one for each channel'),
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

const rgb_to_grayscale_to_rgb = keyedOp('rgb_to_grayscale_to_rgb', {
  doc: "Takes the colour out of an image: three equal channels of ITU-R 601's luma.",
  make: () => (value, _, key) => {
    const image = arrayOf(value, key, 'rgb_to_grayscale_to_rgb');
    if (image.shape.at(-1) === 3) return grayOf(image as Image);
    const expected = 'an image of three channels';
    const fix = 'leave the op out, or put decode(channels=3) before it.';
    throw errors.kind({ op: 'rgb_to_grayscale_to_rgb', key, found: describeFeature(image), expected, fix });
  },
});

export const colourOps: Readonly<Record<string, Implementation<'pp'>>> = {
  value_range,
  vgg_value_range,
  clip_value_range,
  rgb_to_grayscale_to_rgb,
};
