// Which part of a data set is meant: `train`, `train[:90%]`, `train[-1_024:]`, `[1_000:]`; and where data sets are.

import path from 'node:path';
import { catalogue } from '../../core/errors';
import { roundHalfEven } from '../../core/round';
import { didYouMean } from '../../core/suggest';
import { Permutation } from '../input';

export interface Split {
  /** What stands before the brackets; may be empty. */
  readonly name: string;
  /** Of so many examples which, the last exclusive: as `Array.slice` takes them. */
  slice(count: number): readonly [from: number, to: number];
}

const errors = catalogue('split', {
  unreadable: (v: { split: string }) => ({
    what: `The split "${v.split}" can't be read.`,
    fix: 'write a name, and a part in brackets if not all: train, train[:98%], train[-1024:], [100:200].',
  }),
});

const bound = String.raw`-?\d[\d_]*(?:\.\d+)?%?`;
const pattern = new RegExp(String.raw`^([^[\]]*)(?:\[\s*(${bound})?\s*:\s*(${bound})?\s*\])?\s*$`);

/** A split as TFDS writes it: negative bounds count from the end, percentages are rounded half to even. */
export function parseSplit(text: string): Split {
  const match = pattern.exec(text);
  if (!match) throw errors.unreadable({ split: text });
  const [, name = '', from, to] = match;
  const at = (value: string | undefined, count: number, fallback: number) => {
    if (value === undefined) return fallback;
    const number = parseFloat(value.replaceAll('_', ''));
    const place = roundHalfEven(value.endsWith('%') ? (number * count) / 100 : number);
    return Math.max(0, Math.min(count, place < 0 ? count + place : place));
  };
  return { name: name.trim(), slice: (count) => [at(from, count, 0), at(to, count, count)] };
}

/** The message for a data set that has other splits. */
export const unknownSplit =
  (dataset: string) =>
  ({ split, known }: { readonly split: string; readonly known: readonly string[] }) => ({
    what: `The data set "${dataset}" has no split "${split}".${didYouMean(split, known)}`,
    fix: `one of: ${known.join(', ')}.`,
  });

/** The folder of all data sets. */
export const dataFolder = (root: string, data_dir = process.env['BV_DATA_DIR'] ?? 'data') =>
  path.resolve(root, data_dir);

/** A part of the whole in a fixed random order, as in TFDS (whose order is another). */
export function shuffledPart(count: number, slice: Split['slice']) {
  const [from, to] = slice(count);
  const order = new Permutation(count, 0, 0);
  return {
    size: Math.max(0, to - from),
    /** Where in the whole the part's example stands. */
    placeOf: (index: number) => order.at(from + index),
  };
}
