// Every recorded preprocessing case, and distributions of the random ops.

import { allocate, type HostArray, hostArray } from '../../../core/array';
import { parseCalls } from '../../../core/call-string';
import type { Example, Feature } from '../../../core/extensions';
import { namedLeaves, nest, type Tree } from '../../../core/tree';
import { exampleRng } from '../../../plugins/input';
import { type CaseInfo, expectCase, goldenCases, readCase } from '../../support/golden';
import { ppRegistry, runPp } from '../../support/pp';

const textOf = (info: CaseInfo) => info.args.pp as string;

/** Cases whose ops are all here. */
const known = (info: CaseInfo) =>
  info.kind === 'pp' &&
  typeof info.args.pp === 'string' &&
  info.folder.startsWith('pp_') &&
  parseCalls(textOf(info)).every(({ name }) => ppRegistry.has('pp', name));

function exampleFrom(inputs: ReadonlyMap<string, HostArray>, pp: string): Example {
  const example = nest([...inputs] as [string, HostArray][]) as Record<string, Feature>;
  // A file's bytes look like any other list of bytes in the case.
  const key = /^decode\w*\([^)]*key='(\w+)'/.exec(pp)?.[1] ?? 'image';
  const file = example[key] as HostArray | undefined;
  if (/^decode/.test(pp) && file?.shape.length === 1) return { ...example, [key]: file.data as Uint8Array };
  return example;
}

function arraysOf(example: Example): Map<string, HostArray> {
  return new Map(namedLeaves<HostArray>(example as Tree<HostArray>));
}

describe('recorded cases', () => {
  const infos = goldenCases((info) => known(info) && !info.distribution);
  it('are there', () => expect(infos.length).toBeGreaterThan(90));

  it.each(infos.map((info) => [info.folder, info] as const))('%s', async (folder, info) => {
    const golden = await readCase(folder);
    const result = arraysOf(await runPp(textOf(info), exampleFrom(golden.inputs, textOf(info))));
    expect([...result.keys()].sort()).toEqual([...golden.outputs.keys()].sort());
    expectCase(result, golden);
    for (const [name, want] of golden.outputs) {
      const got = result.get(name)!;
      expect(got.dtype === 'bool' ? 'uint8' : got.dtype).toBe(want.dtype);
    }
  });

  it('decode within the errors that decoders differ by, on average', async () => {
    for (const { folder, args } of goldenCases((info) => known(info) && info.name === 'decode')) {
      const { inputs, outputs } = await readCase(folder);
      const result = arraysOf(await runPp(args.pp as string, exampleFrom(inputs, args.pp as string)));
      for (const [name, want] of outputs) {
        const got = result.get(name)!;
        let sum = 0;
        for (let i = 0; i < want.data.length; i++) sum += Math.abs(want.data[i]! - got.data[i]!);
        expect(sum / want.data.length).toBeLessThan(1.5);
      }
    }
  });
});

// ---- Distributions -----------------------------------------------------------------------------------------------------

/** An image whose pixels tell where they were: [y, x, 0] as int32. */
function coordinates(height: number, width: number): HostArray<'int32'> {
  const image = allocate('int32', [height, width, 3]);
  for (let i = 0; i < height * width; i++) {
    image.data[3 * i] = Math.floor(i / width);
    image.data[3 * i + 1] = i % width;
  }
  return image;
}

type Box = readonly [y: number, x: number, h: number, w: number];

async function drawBoxes(pp: string, [height, width]: readonly number[], draws: number): Promise<Box[]> {
  const image = coordinates(height!, width!);
  const boxes: Box[] = [];
  for (let i = 0; i < draws; i++) {
    const { image: crop } = (await runPp(pp, { image }, exampleRng(5, 1, i))) as { image: HostArray };
    boxes.push([crop.data[0]!, crop.data[1]!, crop.shape[0]!, crop.shape[1]!]);
  }
  return boxes;
}

function statistics(boxes: readonly Box[], [height, width]: readonly number[]): Record<string, number[]> {
  return {
    area: boxes.map(([, , h, w]) => (h * w) / (height! * width!)),
    aspect: boxes.map(([, , h, w]) => w / h),
    y: boxes.map(([y, , h]) => (y + h / 2) / height!),
    x: boxes.map(([, x, , w]) => (x + w / 2) / width!),
  };
}

/** The largest difference of two empirical distributions; above 1.95 / sqrt(n / 2) once in a thousand. */
function kolmogorov(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [[...a].sort((p, q) => p - q), [...b].sort((p, q) => p - q)];
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i]!, y[j]!);
    while (i < x.length && x[i]! <= value) i++;
    while (j < y.length && y[j]! <= value) j++;
    most = Math.max(most, Math.abs(i / x.length - j / y.length));
  }
  return most;
}

describe('distributions of random ops', () => {
  const boxCases = goldenCases(
    (info) => known(info) && info.distribution === true && 'image_shape' in info.args,
  );

  it.each(boxCases.map(({ folder, args }) => [folder, args] as const))('%s', async (folder, args) => {
    const { outputs } = await readCase(folder);
    const [shape, draws] = [args.image_shape as number[], args.draws as number];
    const recorded = outputs.get('boxes')!;
    const want: Box[] = Array.from({ length: recorded.shape[0]! }, (_, i) => [...recorded.data.slice(4 * i, 4 * i + 4)] as unknown as Box); // prettier-ignore
    // The fused op draws its box in the same way; here it gets pixels.
    const got = await drawBoxes(args.pp as string, shape, draws);
    const [ours, theirs] = [statistics(got, shape), statistics(want, shape)];
    for (const [name, values] of Object.entries(ours)) {
      expect({ name, distance: kolmogorov(values, theirs[name]!) < 1.95 * Math.sqrt(2 / draws) }).toEqual({ name, distance: true }); // prettier-ignore
    }
  });

  it('flip_lr flips half', async () => {
    const image = hostArray('uint8', [1, 2, 1], [1, 2]);
    let flipped = 0;
    for (let i = 0; i < 4000; i++) {
      const { image: result } = await runPp('flip_lr', { image }, exampleRng(1, 0, i));
      if ((result as HostArray).data[0] === 2) flipped++;
    }
    expect(Math.abs(flipped / 4000 - 0.5)).toBeLessThan((4 * 0.5) / Math.sqrt(4000));
  });
});
