// Which part of a folder is meant: `train`, `train[:90%]`, `[1_000:]`.

import path from 'node:path';
import { catalogue } from '../../core/errors';
import { didYouMean } from '../../core/suggest';
import { Permutation } from '../input';

export interface Split {
  /** A folder below the path, or nothing for the path itself. */
  readonly folder: string;
  /** Which of a class's files, by their count. */
  slice(count: number): readonly [from: number, to: number];
}

const errors = catalogue('folder', {
  split: (v: { split: string }) => ({
    what: `The data source "folder" can't read the split "${v.split}".`,
    fix: 'write the name of a folder, and a part of each class if not all: train, train[:90%], train[90%:], [100:200].',
  }),
});

export function parseSplit(text: string): Split {
  const match = /^([^[\]]*)(?:\[\s*(\d[\d_]*(?:\.\d+)?%?)?\s*:\s*(\d[\d_]*(?:\.\d+)?%?)?\s*\])?$/.exec(text);
  if (!match) throw errors.split({ split: text });
  const [, folder = '', from, to] = match;
  const bound = (value: string | undefined, count: number, fallback: number) => {
    if (value === undefined) return fallback;
    const number = parseFloat(value.replaceAll('_', ''));
    return Math.min(count, Math.round(value.endsWith('%') ? (number * count) / 100 : number));
  };
  return { folder: folder.trim(), slice: (count) => [bound(from, count, 0), bound(to, count, count)] };
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
