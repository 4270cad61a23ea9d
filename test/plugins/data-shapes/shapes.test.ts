import type { HostArray } from '../../../core/array';
import type { Example } from '../../../core/extensions';
import { tokens } from '../../../core/train/run';
import dataShapes, { shapes } from '../../../plugins/data-shapes';
import { drawScene, paint, type Shape, shapeNames } from '../../../plugins/data-shapes/scene';
import input, { exampleRng } from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { register, runPp } from '../../support/pp';
import { exampleDigest, expectPure, expectSeekable } from '../../support/seekable';

type Options = Parameters<typeof shapes>[0];
const open = (more: Partial<Options> = {}) =>
  shapes({ split: 'train', size: 16, most_shapes: 3, perspective: false, seed: 0, ...more });
const dataOf = (example: Example, key: string) => [...(example[key] as HostArray).data];

test('masks, depth and caption agree', async () => {
  const source = open();
  for (let i = 0; i < 50; i++) {
    const example = await source.get(i);
    const { text } = example.captions as { text: string[] };
    const count = text[0]!.split(/ in front of | and /).length;
    const [instances, depth] = [dataOf(example, 'instances'), dataOf(example, 'depth')];
    expect(Math.max(...instances)).toBeLessThanOrEqual(count);
    // Nearer shapes come first and cover those behind.
    const depths = [...new Set(instances)].sort().map((shape) => depth[instances.indexOf(shape)] as number);
    const [background, ...nearToFar] = depths;
    expect(background).toBe(10);
    expect(nearToFar).toEqual([...nearToFar].sort((a, b) => a - b));
    const semantics = dataOf(example, 'semantics');
    const nearest = semantics[instances.indexOf(1)] as number;
    expect(text[0]).toMatch(new RegExp(`^an? \\w+ ${source.classes![nearest - 1]}`));
    expect(dataOf(example, 'label')).toEqual([nearest - 1]);
  }
});

test('what a picture is made of', () => {
  const circle: Shape = { name: 'circle', colour: 'red', x: 0.5, y: 0.5, radius: 0.25, depth: 2 };
  const square: Shape = { name: 'square', colour: 'blue', x: 0.5, y: 0.5, radius: 0.4, depth: 3 };
  const { image, instances } = paint([circle, square], 8);
  expect([...instances].filter((shape) => shape === 1)).toHaveLength(12);
  expect([...image.slice((8 * 4 + 4) * 3, (8 * 4 + 4) * 3 + 3)]).toEqual([220, 40, 40]);
  expect([...image.slice((8 * 1 + 1) * 3, (8 * 1 + 1) * 3 + 3)]).toEqual([50, 80, 220]);
  expect([...image.slice(0, 3)]).toEqual([128, 128, 128]);
});

test("COCO's form of the masks says the same, and that the background is stuff", async () => {
  const example = await open({ most_shapes: 8 }).get(3);
  const again = await runPp('coco_panoptic', example);
  const [semantics, background] = [dataOf(example, 'semantics'), shapeNames.length + 1];
  expect(dataOf(again, 'semantics')).toEqual(semantics.map((kind) => kind || background));
  const objects = example['panoptic_objects'] as Example;
  const areas = dataOf(objects, 'id').map(
    (id) => dataOf(example, 'panoptic_image').filter((x) => x === id).length,
  );
  expect(dataOf(objects, 'area')).toEqual(areas);
  expect(dataOf(objects, 'label').filter((label) => label === shapeNames.length)).toHaveLength(1);
});

test('seed, split and index make different pictures', async () => {
  const of = async (more: Partial<Options>, index: number) => exampleDigest(await open(more).get(index));
  const all = await Promise.all([of({}, 0), of({}, 1), of({ seed: 1 }, 0), of({ split: 'test' }, 0)]);
  expect(new Set(all).size).toBe(4);
  expect([open().size, open({ split: 'test' }).size, open({ count: 7 }).size]).toEqual([10_000, 1_000, 7]);
});

test('is pure', () => expectPure(() => open()));

test('can be entered anywhere', async () => {
  const { container } = register(input, pp, dataShapes);
  const opened = await container.get(tokens.input).train(
    {
      data: { name: 'shapes', count: 40, size: 16 },
      pp: 'keep("image", "instances", "depth")',
      batch_size: 8,
      workers: 0,
      prefetch: 1,
      shuffle: true,
    },
    0,
  );
  await expectSeekable(opened, 12);
  await opened.close();
});

test('in perspective the nearer a shape the larger it is', () => {
  for (let index = 0; index < 20; index++) {
    const radii = drawScene(exampleRng(0, 0, index), 8, true).map(({ radius }) => radius);
    expect(radii).toEqual([...radii].sort((a, b) => b - a));
  }
});
