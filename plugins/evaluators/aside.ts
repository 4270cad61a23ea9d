// Texts of an example on their way through batches, which have arrays alone: as JSON in an array of bytes.

import { z } from 'zod';
import { HostArray, hostArray, sizeOf } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Example, Feature, Implementation, PpOp } from '../../core/extensions';
import { isDict } from '../../core/tree';

/** The key that the op `aside` writes. */
export const asideKey = '_aside';

/** What JSON has. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const errors = catalogue('aside', {
  tooLong: (v: { found: number; bytes: number; keys: readonly string[] }) => ({
    what: `The features ${v.keys.join(', ')} of an example take ${v.found} bytes, and there is room for ${v.bytes}.`,
    fix: `set aside_bytes of the evaluator to ${2 ** Math.ceil(Math.log2(v.found))}.`,
  }),
});

/** Arrays become nested lists. */
function jsonOf(value: Feature): Json {
  if (value instanceof HostArray) return nested(Array.from(value.data as Float32Array), value.shape);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map((item) => jsonOf(item as Feature));
  if (isDict(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonOf(item as Feature)]));
  return value as string | number;
}

function nested(values: readonly number[], [length, ...rest]: readonly number[]): Json {
  if (length === undefined) return values[0] as number;
  const size = sizeOf(rest);
  return Array.from({ length }, (_, i) => nested(values.slice(i * size, (i + 1) * size), rest));
}

const schema = z.strictObject({
  keys: z.array(z.string()).describe('the features; those that an example lacks are left out'),
  bytes: z.int().min(2).default(4096).describe('room for them'),
});

/** The op that evaluators of texts put at the end of their pp_fn. */
export const aside: Implementation<'pp', typeof schema> = {
  doc: `Takes features out of an example and writes them as JSON into "${asideKey}", uint8 [bytes], which a batch can hold.`,
  options: schema,
  positional: ['keys', 'bytes'],
  create: ({ keys, bytes }): PpOp => {
    const taken = new Set(keys);
    return (example: Example) => {
      const [beside, kept] = [true, false].map((wanted) =>
        Object.fromEntries(Object.entries(example).filter(([key]) => taken.has(key) === wanted)),
      ) as [Example, Example];
      const text = Buffer.from(JSON.stringify(jsonOf(beside)), 'utf8');
      if (text.length > bytes) throw errors.tooLong({ found: text.length, bytes, keys: Object.keys(beside) });
      const room = new Uint8Array(bytes);
      room.set(text);
      return { ...kept, [asideKey]: hostArray('uint8', [bytes], room) };
    };
  },
};

/** What the op wrote for an example. */
export function readAside({ data }: HostArray): { readonly [key: string]: Json } {
  const bytes = Buffer.from(Uint8Array.from(data as ArrayLike<number>));
  const end = bytes.indexOf(0);
  return JSON.parse(bytes.toString('utf8', 0, end < 0 ? bytes.length : end)) as {
    readonly [key: string]: Json;
  };
}
