// Which part of a folder is meant: `train`, `train[:90%]`, `[1_000:]`.

import { catalogue } from '../../core/errors';

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
