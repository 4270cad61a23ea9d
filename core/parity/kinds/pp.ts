// Preprocessing: what a `pp` string makes of an example, and distributions of what random ops draw.

import { allocate, HostArray, hostArray } from '../../array';
import { createPipeline, parseCalls } from '../../call-string';
import { drawRng } from '../../draws';
import type { Example, Feature, PpOp } from '../../extensions';
import { nest } from '../../tree';
import type { ParityCase, ParityOutputs, ParityRunner } from '../case';
import {
  compareEntry,
  type Comparison,
  countedOutputs,
  type Difference,
  toleranceOf,
  worstFirst,
} from '../compare';

export const ppRunner: ParityRunner = async (recorded, { registry, container }) => {
  const { args, distribution } = recorded;
  if (typeof args.pp !== 'string') throw new Error(`no rule for the op "${recorded.name}": the case has no args.pp`); // prettier-ignore
  const run = createPipeline(args.pp, registry, container, 'args.pp');
  const example = exampleOf(recorded);
  return distribution ? drawn(recorded, example, run) : outputsOf(await run(example, drawRng(0, 0)));
};

/** The case's inputs as a data source would give them: a file's bytes look like any other list of bytes in a case. */
function exampleOf({ args, inputs, string_inputs = {} }: ParityCase): Example {
  // Some cases have their texts as bytes, too.
  const arrays = [...inputs].filter(([name]) => !(name in string_inputs));
  const pp = args.pp as string;
  // A slash joins the keys of nested features; or it is part of a key, which then the ops name whole.
  const isKey = (name: string) => !/flatten/.test(pp) && [`'${name}'`, `"${name}"`, `{${name}}`].some((text) => pp.includes(text)); // prettier-ignore
  const decodes = parseCalls(pp).some(({ name }) => name.startsWith('decode'));
  const given: [string, Feature][] = [
    ...arrays.map(([name, array]): [string, Feature] => [
      name,
      decodes && isFile(array) ? (array.data as Uint8Array) : array,
    ]),
    ...(Object.entries(string_inputs) as [string, Feature][]),
  ];
  return {
    ...(nest<Feature>(given.filter(([name]) => !isKey(name))) as Record<string, Feature>),
    ...Object.fromEntries(given.filter(([name]) => isKey(name))),
  };
}

/** Bytes that begin as JPEG, PNG, GIF or BMP do. */
const isFile = ({ dtype, shape, data }: HostArray) =>
  dtype === 'uint8' &&
  shape.length === 1 &&
  /^(\xff\xd8|\x89PNG|GIF8|BM)/.test(Buffer.from((data as Uint8Array).subarray(0, 4)).toString('latin1'));

/** (Lists of) lists of texts. */
const isTexts = (value: Feature): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' || isTexts(item as Feature));

/** The features by slash-joined names. */
function outputsOf(example: Example): ParityOutputs {
  const found = new Map<string, HostArray | string>();
  const add = (name: string, value: Feature): void => {
    if (value instanceof HostArray || typeof value === 'string') found.set(name, value as HostArray | string);
    else if (value instanceof Uint8Array) found.set(name, hostArray('uint8', [value.length], value));
    else if (typeof value === 'number')
      found.set(name, hostArray(Number.isInteger(value) ? 'int32' : 'float32', [], [value]));
    else if (isTexts(value)) found.set(name, [value].flat(Infinity as 1).join('\n'));
    else for (const [key, child] of Object.entries(value)) add(`${name}/${key}`, child as Feature);
  };
  for (const [name, value] of Object.entries(example)) add(name, value);
  return found;
}

// ---- Random draws --------------------------------------------------------------------------------------------------------

/** Pixels tell where they are: [y, x, 0]. */
function coordinates([height, width]: readonly number[]): HostArray<'int32'> {
  const image = allocate('int32', [height as number, width as number, 3]);
  for (let i = 0; i < image.data.length / 3; i++) {
    image.data[3 * i] = Math.floor(i / (width as number));
    image.data[3 * i + 1] = i % (width as number);
  }
  return image;
}

/** `boxes` of the crops that the ops make (or of the boxes that they put under `box`), or `fraction_flipped`. */
async function drawn({ args, wanted }: ParityCase, example: Example, run: PpOp): Promise<ParityOutputs> {
  const { draws, image_shape } = args as { draws: number; image_shape?: readonly number[] };
  // A recorded image or file has coordinates as its colours, too, as well as JPEG keeps them.
  const image = example.image ?? coordinates(image_shape ?? [1, 2]);
  const boxes: number[] = [];
  let flipped = 0;
  for (let draw = 0; draw < draws; draw++) {
    const { image: result, box } = await run({ ...example, image }, drawRng(0, draw));
    if (Array.isArray(box)) boxes.push(...(box as HostArray[]).flatMap((pair) => Array.from(pair.data)));
    else boxes.push(...placeOf(result as HostArray));
    if ((result as HostArray).data[1] !== 0) flipped++;
  }
  if (wanted.has('fraction_flipped'))
    return new Map([['fraction_flipped', hostArray('float32', [], [flipped / draws])]]);
  return new Map([['boxes', hostArray('float32', [draws, 4], boxes)]]);
}

/** The box that coordinates were cropped to; on average, as JPEG leaves single pixels a few off. */
function placeOf({ data, shape }: HostArray): readonly number[] {
  const [height, width] = shape as [number, number];
  const sums = [0, 0];
  for (let i = 0; i < data.length; i += 3) {
    sums[0]! += data[i] as number;
    sums[1]! += data[i + 1] as number;
  }
  const [y, x] = sums.map((sum) => sum / (height * width)) as [number, number];
  return [Math.round(y - (height - 1) / 2), Math.round(x - (width - 1) / 2), height, width];
}

// ---- Comparison ----------------------------------------------------------------------------------------------------------

/** The part of the pixels that nearest-neighbour rotations and shears may take from elsewhere. */
const strayPixels = 0.01;
/** Decoders differ by more than this at some pixels, but not on average. */
const meanError = 1.5;

/** With the allowances for decoders, for truncation after resizing, and for rounding of coordinates. */
export const comparePp: Comparison = (recorded, got) => {
  const { name, args } = recorded;
  const pp = typeof args.pp === 'string' ? args.pp : '';
  return worstFirst(
    countedOutputs(recorded).map(([entry, want]) => {
      const tolerance = toleranceOf(recorded, entry);
      const array = got.get(entry);
      const truncated = want.dtype === 'uint8' && /resize/.test(pp);
      const allowed = truncated ? { ...tolerance, atol: Math.max(1, tolerance.atol) } : tolerance;
      const difference = compareEntry(entry, array, want, allowed);
      if (!(array instanceof HostArray) || !Number.isFinite(difference.maxAbs)) return difference;
      if (/:(rotate|shear_[xy])$/.test(name)) return withStrays(difference, array as HostArray, want, allowed.atol); // prettier-ignore
      if (/decode/.test(pp) && want.dtype === 'uint8') return onAverage(difference, array as HostArray, want);
      return difference;
    }),
  );
};

function withStrays(difference: Difference, got: HostArray, want: HostArray, atol: number): Difference {
  const channels = want.shape.at(-1) ?? 1;
  const strays = new Set<number>();
  want.data.forEach((value, i) => {
    if (Math.abs(value - (got.data[i] as number)) > atol) strays.add(Math.floor(i / channels));
  });
  if (strays.size === 0) return difference;
  const part = strays.size / (want.data.length / channels);
  return {
    ...difference,
    excess: part / strayPixels,
    text: `${difference.entry}: ${(100 * part).toFixed(2)} % of the pixels differ`,
  };
}

function onAverage(difference: Difference, got: HostArray, want: HostArray): Difference {
  let sum = 0;
  for (let i = 0; i < want.data.length; i++)
    sum += Math.abs((want.data[i] as number) - (got.data[i] as number));
  const excess = sum / want.data.length / meanError;
  if (excess <= Math.max(1, difference.excess)) return difference;
  return {
    ...difference,
    excess,
    text: `${difference.entry}: differs by ${sum / want.data.length} on average`,
  };
}
