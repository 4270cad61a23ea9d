// Ops that draw: what they may give, and how often.

import { allocate, type HostArray, hostArray } from '../../../core/array';
import type { Example, ExampleRng } from '../../../core/extensions';
import { exampleRng } from '../../../plugins/input';
import { runPp } from '../../support/pp';

const draws = (pp: string, example: Example, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => runPp(pp, example, exampleRng(3, 0, i))));

const photo = () => {
  const image = allocate('uint8', [40, 50, 3]);
  for (let i = 0; i < image.data.length; i++) image.data[i] = (i * 7) % 251;
  return image;
};

describe('choice', () => {
  const example = { a: hostArray('int32', [5], [10, 11, 12, 13, 14]), t: ['v', 'w', 'x', 'y', 'z'] };

  it('takes the same entries of all keys, in order, each equally often', async () => {
    const counts = new Array<number>(5).fill(0);
    for (const { a, t } of await draws("choice(2, key=['a', 't'])", example, 2000)) {
      const chosen = Array.from((a as HostArray).data);
      expect(chosen).toEqual([...chosen].sort());
      expect(t).toEqual(chosen.map((value) => 'vwxyz'[value - 10]));
      chosen.forEach((value) => counts[value - 10]!++);
    }
    for (const count of counts) expect(Math.abs(count / 2000 - 0.4)).toBeLessThan(0.05);
  });

  it('takes a random number of entries, or one without the axis', async () => {
    const lengths = new Set((await draws("choice((1, 3), key='a')", example, 50)).map(({ a }) => (a as HostArray).shape[0])); // prettier-ignore
    expect([...lengths].sort()).toEqual([1, 2, 3]);
    expect((await runPp("choice(key='t')", { t: ['only'] })).t).toBe('only');
  });

  it('says what is missing', async () => {
    await expect(runPp("choice(9, key='a')", example)).rejects.toThrow("can't choose 9 of the 5 entries");
    expect((await runPp("choice(9, key='t', fewer_ok=True)", example)).t).toEqual(example.t);
    await expect(runPp("choice(key='b')", { b: hostArray('int32', [], [1]) })).rejects.toThrow(
      'to be a list',
    );
  });
});

it('choice_no_replacement goes through all entries before any comes again', async () => {
  const example = { _id: hostArray('int32', [], [7]), a: hostArray('int32', [4], [0, 1, 2, 3]) };
  const at = async (epoch: number) => {
    const rng: ExampleRng = { uniform: () => 0, integer: (low) => low, epoch };
    return ((await runPp("choice_no_replacement(key='a')", example, rng)).a as HostArray).data[0];
  };
  for (const start of [0, 4, 8]) {
    const seen = [await at(start), await at(start + 1), await at(start + 2), await at(start + 3)];
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
  }
});

it('randaug and autoaugment change images in many ways, and keep shape and type', async () => {
  for (const pp of ['randaug(2, 10)', 'autoaugment']) {
    const results = await draws(pp, { image: photo() }, 60);
    const different = new Set(results.map(({ image }) => (image as HostArray).data.join()));
    expect(different.size).toBeGreaterThan(20);
    for (const { image } of results) expect(image).toMatchObject({ dtype: 'uint8', shape: [40, 50, 3] });
  }
  const floats = { image: hostArray('float32', [2, 2, 3], new Float32Array(12)) };
  await expect(runPp('randaug', floats)).rejects.toThrow('to be a uint8 image');
});

it('one box and one flip serve an image and its mask', async () => {
  const image = photo();
  const pp =
    "inception_box|crop_box|crop_box(key='mask')|randu('fliplr')|det_fliplr|det_fliplr(key='mask')|drop('box', 'fliplr')";
  for (const result of await draws(pp, { image, mask: image }, 20)) expect(result.mask).toEqual(result.image);
});

it('inception_box covers an object where that is asked for', async () => {
  const example = { image: photo(), objects: { bbox: hostArray('float32', [1, 4], [0.5, 0.5, 0.7, 0.7]) } };
  for (const { box } of await draws('inception_box(min_obj_cover=0.9)', example, 30)) {
    const [begin, size] = box as unknown as readonly [HostArray, HostArray];
    expect(begin.data[0]!).toBeLessThan(0.55);
    expect(begin.data[0]! + size.data[0]!).toBeGreaterThan(0.65);
  }
});

it('random_jpeg leaves most of an image', async () => {
  const image = allocate('uint8', [32, 32, 3]);
  image.data.forEach((_, i) => (image.data[i] = 2 * (Math.floor(i / 3) % 32) + 60));
  for (const result of await draws('random_jpeg(1)', { image }, 4)) {
    const { data } = result.image as HostArray;
    expect(Math.max(...Array.from(data, (x, i) => Math.abs(x - image.data[i]!)))).toBeLessThan(16);
  }
  expect((await runPp('random_jpeg(0)', { image })).image).toBe(image);
});
