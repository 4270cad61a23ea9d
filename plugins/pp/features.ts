// What ops share: reading values of an example, and the key conventions of ops with one input and one output.

import { isPromise } from 'node:util/types';
import { z } from 'zod';
import { type ArraySpec, describeSpec, HostArray, hostArray } from '../../core/array';
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

const keyOptions = {
  key: z.string().nullable().default(null).describe('key to read and to write; instead of inkey and outkey'),
  inkey: z.string().describe('key to read'),
  outkey: z.string().describe('key to write'),
};

export interface KeyedOp<Shape extends z.ZodRawShape> {
  readonly doc: string;
  readonly options?: Shape;
  /** Option names of positional arguments, in order. */
  readonly positional?: readonly (keyof Shape & string)[];
  /** Made once; then called with the value of each example. */
  readonly make: (
    options: z.output<z.ZodObject<Shape>>,
  ) => (value: Feature, rng: ExampleRng, key: string) => Feature | Promise<Feature>;
}

/** An op of one input and one output, with the options `key`, `inkey` and `outkey` that all of these have. */
export function keyedOp<Shape extends z.ZodRawShape = Record<never, never>>(
  op: string,
  { doc, options, positional, make }: KeyedOp<Shape>,
): Implementation<'pp'> {
  const schema = z.strictObject({
    ...options,
    key: keyOptions.key,
    inkey: keyOptions.inkey.default('image'),
    outkey: keyOptions.outkey.default('image'),
  });
  const create = (all: Record<string, unknown>): PpOp => {
    const inkey = ((all.key as string | null) || all.inkey) as string;
    const outkey = ((all.key as string | null) || all.outkey) as string;
    const apply = make(all as z.output<z.ZodObject<Shape>>);
    return (example, rng) => {
      const result = apply(featureOf(example, inkey, op), rng, inkey);
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
