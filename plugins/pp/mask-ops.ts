// Masks of instances, classes and depth: the original's ops for UViM and GIVT.

import { z } from 'zod';
import { allocate, HostArray } from '../../core/array';
import type { Feature, Implementation } from '../../core/extensions';
import { isDict } from '../../core/tree';
import { arrayOf, exampleOp, featureOf, imageOf, keyedOp, shuffled } from './features';

const labels = { inkey: 'labels', outkey: 'labels' };

const coco_panoptic = exampleOp({
  doc: 'Masks of COCO panoptic: "instances" numbers the objects of panoptic_objects from 1, "semantics" has their labels plus one; 0 is nothing annotated. An id is red + 256 green + 65536 blue of panoptic_image. int32 [height, width, 1].',
  options: {},
  create: () => (example) => {
    const op = 'coco_panoptic';
    const objects = featureOf(example, 'panoptic_objects', op);
    const part = (key: string) =>
      arrayOf(featureOf(isDict(objects) ? (objects as { [key: string]: Feature }) : {}, key, op), key, op)
        .data;
    const [ids, classes] = [part('id'), part('label')];
    const image = imageOf(featureOf(example, 'panoptic_image', op), 'panoptic_image', op);
    const shape = [...image.shape.slice(0, 2), 1];
    const [instances, semantics] = [allocate('int32', shape), allocate('int32', shape)];
    for (let pixel = 0; pixel < instances.data.length; pixel++) {
      const [r, g, b] = image.data.subarray(3 * pixel, 3 * pixel + 3) as unknown as [number, number, number];
      ids.forEach((id, i) => {
        if (id !== r + 256 * g + 65536 * b) return;
        instances.data[pixel]! += i + 1;
        semantics.data[pixel]! += (classes[i] as number) + 1;
      });
    }
    return { ...example, instances, semantics };
  },
});

/** The mean position of the pixels of each id above 0, in the order in which the ids appear. */
function centres(ids: ArrayLike<number>, width: number): Map<number, readonly [y: number, x: number]> {
  const sums = new Map<number, [y: number, x: number, count: number]>();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (id <= 0) continue;
    const sum = sums.get(id) ?? [0, 0, 0];
    sums.set(id, [sum[0] + Math.floor(i / width), sum[1] + (i % width), sum[2] + 1]);
  }
  const mean = ([y, x, count]: [number, number, number]) =>
    [Math.fround(y / count), Math.fround(x / count)] as const;
  return new Map([...sums].map(([id, sum]) => [id, mean(sum)]));
}

const make_canonical = keyedOp('make_canonical', {
  doc: 'Renumbers the instances in the last channel of a mask from 1, in the order of their centres (or at random). 0 stays, negative ids become -1.',
  options: {
    random: z.boolean().default(false).describe('a random order'),
    main_sort_axis: z.enum(['y', 'x']).default('y').describe('the axis that counts first'),
  },
  positional: ['random', 'main_sort_axis'],
  keys: labels,
  make:
    ({ random, main_sort_axis }) =>
    (value, rng, key) => {
      const mask = imageOf(value, key, 'make_canonical');
      const [height, width, channels] = mask.shape as [number, number, number];
      const ids = Int32Array.from({ length: height * width }, (_, i) => mask.data[(i + 1) * channels - 1] as number); // prettier-ignore
      const found = centres(ids, width);
      const rank = ([y, x]: readonly [number, number]) =>
        main_sort_axis === 'y' ? Math.fround(x + Math.fround(height * y)) : Math.fround(y + Math.fround(width * x)); // prettier-ignore
      const order = random
        ? shuffled([...found.keys()], rng)
        : [...found].sort((a, b) => rank(a[1]) - rank(b[1])).map(([id]) => id);
      const numbers = new Map(order.map((id, i) => [id, i + 1]));
      const out = new HostArray(mask.dtype, mask.shape, mask.data.slice() as typeof mask.data);
      ids.forEach((id, i) => (out.data[(i + 1) * channels - 1] = id === 0 ? 0 : (numbers.get(id) ?? -1)));
      return out;
    },
});

const nyu_depth = keyedOp('nyu_depth', {
  doc: 'The depth of NYU depth as float32 labels [height, width, 1].',
  keys: { inkey: 'depth', outkey: 'labels' },
  make: () => (value, _, key) => {
    const depth = arrayOf(value, key, 'nyu_depth');
    const out = allocate('float32', [...depth.shape, 1]);
    out.data.set(depth.data);
    return out;
  },
});

const bin_nyu_depth = keyedOp('bin_nyu_depth', {
  doc: 'Depths as the numbers of equal bins between two depths; what lies outside goes into the first or the last. int32.',
  options: {
    min_depth: z.number().default(0.001).describe('where the first bin begins, in metres'),
    max_depth: z.number().default(10).describe('where the last bin ends, in metres'),
    num_bins: z.int().min(1).default(256).describe('how many bins'),
  },
  positional: ['min_depth', 'max_depth', 'num_bins'],
  keys: labels,
  make: ({ min_depth, max_depth, num_bins }) => {
    const { fround } = Math;
    const range = fround(max_depth - min_depth);
    return (value, _, key) => {
      const depth = arrayOf(value, key, 'bin_nyu_depth');
      const out = allocate('int32', depth.shape);
      for (let i = 0; i < out.data.length; i++) {
        const unit = fround(fround((depth.data[i] as number) - fround(min_depth)) / range);
        const bin = Math.floor(fround(unit * num_bins));
        // What no int32 holds is the least one in the original, so 0.
        out.data[i] = bin < 2 ** 31 ? Math.max(0, Math.min(num_bins - 1, bin)) : 0;
      }
      return out;
    };
  },
});

export const maskOps: Readonly<Record<string, Implementation<'pp'>>> = {
  coco_panoptic,
  make_canonical,
  nyu_depth,
  bin_nyu_depth,
};
