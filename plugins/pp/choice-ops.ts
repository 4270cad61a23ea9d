// Random entries of features. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { hostArray } from '../../core/array';
import type { Example, ExampleRng, Feature, Implementation } from '../../core/extensions';
import { exampleRng } from '../input';
import {
  arrayOf,
  describeFeature,
  entriesOf,
  entryOf,
  errors,
  exampleOp,
  featureOf,
  keyedOp,
  lengthOf,
  shuffled,
} from './features';

const keysOption = z
  .union([z.string(), z.array(z.string()).min(1)])
  .nullable()
  .default(null);
const keyOptions = {
  key: keysOption.describe('key or keys to read and to write; instead of inkey and outkey'),
  inkey: keysOption.describe('key or keys to read: the same entries are chosen of all of them'),
  outkey: keysOption.describe('key or keys to write; {key} stands for the one that was read'),
};
type Keys = z.output<z.ZodObject<typeof keyOptions>>;

/** Pairs of keys to read and to write. */
function keyPairs(op: string, { key, inkey, outkey }: Keys): (readonly [string, string])[] {
  const inkeys = [inkey ?? key ?? []].flat();
  const outkeys = [outkey ?? key ?? []].flat();
  if (inkeys.length === 0 || outkeys.length === 0)
    throw errors.noKey({ op, option: inkeys.length ? 'outkey' : 'inkey' });
  return inkeys
    .slice(0, outkeys.length)
    .map((from, i) => [from, (outkeys[i] as string).replaceAll('{key}', from)]);
}

/** How many entries all of the features have. */
function commonLength(op: string, example: Example, keys: readonly string[]): number {
  const lengths = keys.map((key) => {
    const value = featureOf(example, key, op);
    const length = lengthOf(value);
    if (length !== undefined) return length;
    const fix = `leave ${op} out: there is nothing to choose from.`;
    throw errors.kind({
      op,
      key,
      found: describeFeature(value),
      expected: 'a list, or an array with axes',
      fix,
    });
  });
  const odd = lengths.findIndex((length) => length !== lengths[0]);
  if (odd < 0) return lengths[0] as number;
  throw errors.size({
    op,
    problem: `can't choose the same entries of "${keys[0]}", which has ${lengths[0]}, and of "${keys[odd]}", which has ${lengths[odd]}`,
    fix: 'name features of one length, or choose of each by itself.',
  });
}

/** `count` different numbers below `size`, all choices equally likely, in ascending order. */
function sample(count: number, size: number, rng: ExampleRng): number[] {
  const items = Array.from({ length: size }, (_, i) => i);
  const most = Math.min(count, size);
  for (let i = 0; i < most; i++) {
    const j = rng.integer(i, size);
    [items[i], items[j]] = [items[j] as number, items[i] as number];
  }
  return items.slice(0, most).sort((a, b) => a - b);
}

const choice = exampleOp({
  doc: 'Chooses random entries of the first axis, the same ones of all keys, and keeps their order.',
  options: {
    n: z
      .union([z.literal('single'), z.int().min(0), z.tuple([z.int().min(0), z.int().min(0)])])
      .default('single')
      .describe(
        'how many; a pair is a random number of them, from the first to the second; "single" is one, without the axis',
      ),
    key: keyOptions.key,
    fewer_ok: z.boolean().default(false).describe('take what there is where there are fewer'),
    inkey: keyOptions.inkey,
    outkey: keyOptions.outkey,
  },
  positional: ['n', 'key', 'fewer_ok', 'inkey', 'outkey'],
  create: ({ n, fewer_ok, ...keys }) => {
    const pairs = keyPairs('choice', keys);
    const least = n === 'single' ? 1 : typeof n === 'number' ? n : n[0];
    return (example, rng) => {
      const size = commonLength('choice', example, pairs.map(([inkey]) => inkey)); // prettier-ignore
      if (size < least && (!fewer_ok || n === 'single')) {
        throw errors.size({
          op: 'choice',
          problem: `can't choose ${least} of the ${size} entries of "${pairs[0]?.[0]}"`,
          fix: n === 'single' ? 'put setdefault before it.' : 'set fewer_ok=True, or choose fewer.',
        });
      }
      const chosen = { ...example };
      if (n === 'single') {
        const index = rng.integer(0, size);
        for (const [inkey, outkey] of pairs)
          chosen[outkey] = entryOf(featureOf(example, inkey, 'choice'), index);
        return chosen;
      }
      const indices = sample(typeof n === 'number' ? n : rng.integer(n[0], n[1] + 1), size, rng);
      for (const [inkey, outkey] of pairs)
        chosen[outkey] = entriesOf(featureOf(example, inkey, 'choice'), indices);
      return chosen;
    };
  },
});

const choice_no_replacement = exampleOp({
  doc: 'Chooses one random entry of the first axis, the same of all keys. Over the epochs of a run an example (known by the integer in its feature "_id") goes through all of its entries before any comes again.',
  options: keyOptions,
  positional: ['key', 'inkey', 'outkey'],
  create: (keys) => {
    const op = 'choice_no_replacement';
    const pairs = keyPairs(op, keys);
    return (example, rng) => {
      const size = commonLength(op, example, pairs.map(([inkey]) => inkey)); // prettier-ignore
      const id = arrayOf(featureOf(example, '_id', op), '_id', op).data[0] as number;
      // The original counts how often it has seen an example, which it forgets when it is restarted; the epoch is that number.
      const seen = rng.epoch ?? 0;
      const order = exampleRng(0, Math.floor(seen / size), id);
      const entries = Array.from({ length: size }, (_, i) => i);
      const index = shuffled(entries, order)[seen % size] as number;
      const chosen = { ...example };
      for (const [inkey, outkey] of pairs) chosen[outkey] = entryOf(featureOf(example, inkey, op), index);
      return chosen;
    };
  },
});

/** The entries of an array or a list, with the axes gone. */
function flatEntries(value: Feature): Feature {
  if (Array.isArray(value)) return (value as unknown[]).flat(Infinity) as Feature[];
  const array = arrayOf(value, 'value', 'video_choice');
  return hostArray(array.dtype, [array.data.length], array.data);
}

const video_choice = keyedOp('video_choice', {
  doc: 'Chooses one random entry of a list or an array, whatever its shape; a fallback if it is empty.',
  options: {
    empty_fallback: z
      .union([z.number(), z.string()])
      .nullable()
      .default(null)
      .describe('what an empty one gives; None is 0 for numbers and the empty text for texts'),
  },
  positional: ['empty_fallback'],
  make:
    ({ empty_fallback }) =>
    (value, rng) => {
      const entries = typeof value === 'string' ? [value] : flatEntries(value);
      const size = lengthOf(entries) as number;
      const index = rng.integer(0, Math.max(size, 1));
      if (size > 0) return entryOf(entries, index);
      if (Array.isArray(entries)) return String(empty_fallback ?? '');
      return hostArray((entries as ReturnType<typeof arrayOf>).dtype, [], [Number(empty_fallback ?? 0)]);
    },
});

const majority = keyedOp('majority', {
  doc: 'The most frequent of the entries; of equally frequent ones the one that comes first.',
  make: () => (value, _, key) => {
    const size = lengthOf(value);
    if (!size) {
      const fix = 'put setdefault before it.';
      throw errors.kind({
        op: 'majority',
        key,
        found: describeFeature(value),
        expected: 'a list with entries',
        fix,
      });
    }
    const counts = new Map<unknown, { count: number; first: number }>();
    for (let i = 0; i < size; i++) {
      const entry = entryOf(value, i);
      const name = typeof entry === 'string' ? entry : arrayOf(entry, key, 'majority').data[0];
      const found = counts.get(name) ?? { count: 0, first: i };
      counts.set(name, { ...found, count: found.count + 1 });
    }
    const most = [...counts.values()].reduce((best, next) => (next.count > best.count ? next : best));
    return entryOf(value, most.first);
  },
});

const getidx = exampleOp({
  doc: 'One entry of the first axis of a feature, whose number another feature has.',
  options: {
    inkey: z.string().describe('key of the list or array'),
    index_key: z.string().describe('key of the number, counted from the end if negative'),
    outkey: z.string().nullable().default(null).describe('key to write; None is inkey'),
  },
  positional: ['inkey', 'index_key', 'outkey'],
  create:
    ({ inkey, index_key, outkey }) =>
    (example) => {
      const array = featureOf(example, inkey, 'getidx');
      const index = arrayOf(featureOf(example, index_key, 'getidx'), index_key, 'getidx').data[0] as number;
      const size = commonLength('getidx', example, [inkey]);
      if (index >= -size && index < size)
        return { ...example, [outkey || inkey]: entryOf(array, index < 0 ? index + size : index) };
      const problem = `can't take entry ${index} of "${inkey}", which has ${size}`;
      throw errors.size({ op: 'getidx', problem, fix: `correct "${index_key}".` });
    },
});

export const choiceOps: Readonly<Record<string, Implementation<'pp'>>> = {
  choice,
  choice_no_replacement,
  video_choice,
  majority,
  getidx,
};
