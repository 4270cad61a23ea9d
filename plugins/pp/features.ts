// What ops share: reading values of an example, and the key conventions of ops with one input and one output.

import { isPromise } from 'node:util/types';
import { z } from 'zod';
import {
  allocate,
  type ArraySpec,
  describeSpec,
  entryOf as entryOfArray,
  HostArray,
  hostArray,
  sizeOf,
} from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Example, ExampleRng, Feature, Implementation, PpOp } from '../../core/extensions';
import { didYouMean } from '../../core/suggest';
import type { PixelType } from './resize';

export const errors = catalogue('pp', {
  missingKey: (v: { op: string; key: string; known: readonly string[] }) => ({
    what: `${v.op} finds no "${v.key}" in the example, which has ${v.known.join(', ') || 'nothing'}.${didYouMean(v.key, v.known)}`,
    fix: `name another key, as in ${v.op}(..., key='${v.known[0] ?? 'image'}'), or correct the op before it.`,
  }),
  kind: (v: { op: string; key: string; found: string; expected: string; fix: string }) => ({
    what: `${v.op} expects "${v.key}" to be ${v.expected}, found ${v.found}.`,
    fix: v.fix,
  }),
  size: (v: { op: string; problem: string; fix: string }) => ({
    what: `${v.op} ${v.problem}.`,
    fix: v.fix,
  }),
  noKey: (v: { op: string; option: string }) => ({
    what: `${v.op} isn't told what to work on: it has neither key nor ${v.option}.`,
    fix: `name the feature: ${v.op}(..., key='text'), or inkey and outkey.`,
  }),
  unreadable: (v: { op: string; path: string; reason: string }) => ({
    what: `${v.op} can't read ${v.path}: ${v.reason}.`,
    fix: 'correct the path, which is taken from the folder that the command runs in.',
  }),
  remoteModel: (v: { model: string; url: string }) => ({
    what: `The tokenizer "${v.model}" isn't on this machine.`,
    fix: `fetch it, and name the file: curl -O ${v.url}; then model='${v.url.split('/').at(-1)}'.`,
  }),
  noToken: (v: { op: string; token: string; option: string }) => ({
    what: `${v.op} is to add ${v.token}, which its vocabulary doesn't have.`,
    fix: `leave ${v.option} out, or name another model.`,
  }),
  undecodable: (v: { op: string; reason: string; bytes: number }) => ({
    what: `${v.op} can't read an image from ${v.bytes} bytes: ${v.reason}.`,
    fix: 'replace or remove the file; JPEG, PNG, WebP, GIF and BMP can be read.',
  }),
});

export type Image = HostArray<PixelType>;

export function featureOf(example: Example, key: string, op: string): Feature {
  const value = example[key];
  if (value === undefined) throw errors.missingKey({ op, key, known: Object.keys(example) });
  return value;
}

/** What a feature is, for people. */
export function describeFeature(value: Feature): string {
  if (value instanceof HostArray) return describeSpec(value as ArraySpec);
  if (value instanceof Uint8Array) return `${value.length} bytes of a file`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'nested features';
  return `the ${typeof value === 'string' ? 'text' : 'number'} ${JSON.stringify(value)}`;
}

export function arrayOf(value: Feature, key: string, op: string): HostArray {
  if (value instanceof HostArray) return value as HostArray;
  if (typeof value === 'number') return hostArray(Number.isInteger(value) ? 'int32' : 'float32', [], [value]);
  const fix =
    value instanceof Uint8Array ? `put decode before ${op}.` : `leave ${op} out, or name another key.`;
  throw errors.kind({ op, key, found: describeFeature(value), expected: 'an array', fix });
}

/** height, width, channels; of a type that pixels may have. */
export function imageOf(value: Feature, key: string, op: string): Image {
  const array = arrayOf(value, key, op);
  const pixels = array.dtype === 'uint8' || array.dtype === 'float32' || array.dtype === 'int32';
  if (array.shape.length === 3 && pixels) return array as Image;
  throw errors.kind({
    op,
    key,
    found: describeFeature(value),
    expected: 'an image [height, width, channels]',
    fix: `name the key of an image: ${op}(..., key='image').`,
  });
}

export function textOf(value: Feature, key: string, op: string): string {
  if (typeof value === 'string') return value;
  throw errors.kind({
    op,
    key,
    found: describeFeature(value),
    expected: 'a text',
    fix: Array.isArray(value)
      ? `put choice(key='${key}') before ${op}, which takes one text.`
      : `name the key of a text: ${op}(..., key='text').`,
  });
}

/** Applies a function to a text, or to each of (nested) lists of texts. */
export function mapTexts(value: Feature, key: string, op: string, f: (text: string) => Feature): Feature {
  if (Array.isArray(value)) return (value as Feature[]).map((item) => mapTexts(item, key, op, f));
  return f(textOf(value, key, op));
}

/** How many entries the first axis has, of an array or a list; undefined for a single value. */
export function lengthOf(value: Feature): number | undefined {
  if (value instanceof HostArray) return value.shape[0];
  return Array.isArray(value) ? value.length : undefined;
}

/** One entry of the first axis, without that axis. */
export function entryOf(value: Feature, index: number): Feature {
  return value instanceof HostArray
    ? entryOfArray(value as HostArray, index)
    : ((value as readonly Feature[])[index] as Feature);
}

/** Entries of the first axis, as in the list of indices. */
export function entriesOf(value: Feature, indices: readonly number[]): Feature {
  if (!(value instanceof HostArray)) return indices.map((i) => (value as readonly Feature[])[i] as Feature);
  const size = sizeOf(value.shape.slice(1));
  const out = allocate(value.dtype, [indices.length, ...value.shape.slice(1)]);
  indices.forEach((from, to) => out.data.set(value.data.subarray(from * size, (from + 1) * size), to * size));
  return out;
}

/** All orders are equally likely. */
export function shuffled<T>(items: readonly T[], rng: ExampleRng): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = rng.integer(0, i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

const keyOptions = (defaults: DefaultKeys) => ({
  key: z.string().nullable().default(null).describe('key to read and to write; instead of inkey and outkey'),
  inkey: z.string().nullable().default(defaults.inkey).describe('key to read'),
  outkey: z.string().nullable().default(defaults.outkey).describe('key to write'),
});

/** Keys that are read and written where the call names none; null: the call has to. */
export interface DefaultKeys {
  readonly inkey: string | null;
  readonly outkey: string | null;
}

export interface KeyedOp<Shape extends z.ZodRawShape> {
  readonly doc: string;
  readonly options?: Shape;
  /** Option names of positional arguments, in order. */
  readonly positional?: readonly (keyof Shape & string)[];
  /** `image` for both if absent. */
  readonly keys?: DefaultKeys;
  /** Made once; then called with the value of each example, and with the whole example. */
  readonly make: (
    options: z.output<z.ZodObject<Shape>>,
  ) => (value: Feature, rng: ExampleRng, key: string, example: Example) => Feature | Promise<Feature>;
}

/** An op of one input and one output, with the options `key`, `inkey` and `outkey` that all of these have. */
export function keyedOp<Shape extends z.ZodRawShape = Record<never, never>>(
  op: string,
  { doc, options, positional, keys = { inkey: 'image', outkey: 'image' }, make }: KeyedOp<Shape>,
): Implementation<'pp'> {
  const schema = z.strictObject({ ...options, ...keyOptions(keys) });
  const create = (all: z.output<z.ZodObject<ReturnType<typeof keyOptions>>>): PpOp => {
    const inkey = all.key || all.inkey;
    const outkey = all.key || all.outkey;
    if (!inkey || !outkey) throw errors.noKey({ op, option: inkey ? 'outkey' : 'inkey' });
    const apply = make(all as unknown as z.output<z.ZodObject<Shape>>);
    return (example, rng) => {
      const result = apply(featureOf(example, inkey, op), rng, inkey, example);
      if (isPromise(result)) return result.then((value) => ({ ...example, [outkey]: value }));
      return { ...example, [outkey]: result };
    };
  };
  return { doc, options: schema, positional, create } as unknown as Implementation<'pp'>;
}

/** An op on whole examples; the identity function, for its types. */
export function exampleOp<Shape extends z.ZodRawShape>(op: {
  readonly doc: string;
  readonly options: Shape;
  readonly positional?: readonly (keyof Shape & string)[];
  readonly rest?: keyof Shape & string;
  readonly create: (options: z.output<z.ZodObject<Shape>>) => PpOp;
}): Implementation<'pp'> {
  return { ...op, options: z.strictObject(op.options) } as unknown as Implementation<'pp'>;
}
