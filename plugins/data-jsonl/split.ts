// Parts of data sets as TFDS writes them: `train`, `train[:-5%] + val[20_000:]`.

import { catalogue } from '../../core/errors';

const errors = catalogue('jsonl', {
  split: (v: { split: string }) => ({
    what: `The split "${v.split}" can't be read.`,
    fix: 'write names, with a part in brackets if not all: train, train[:98%] + val, train[-1024:].',
  }),
});

export interface Part {
  readonly name: string;
  /** Of so many examples which, the last exclusive. */
  range(count: number): readonly [from: number, to: number];
}

const bound = String.raw`-?\d[\d_]*(?:\.\d+)?%?`;
const pattern = new RegExp(String.raw`^\s*([^[\]+\s]+)\s*(?:\[\s*(${bound})?\s*:\s*(${bound})?\s*\])?\s*$`);

/** Percentages are rounded as TFDS rounds them: to the nearest. */
export function partsOf(split: string): Part[] {
  return split.split('+').map((text) => {
    const match = pattern.exec(text);
    if (!match) throw errors.split({ split });
    const [, name = '', from, to] = match;
    const at = (value: string | undefined, count: number, fallback: number) => {
      if (value === undefined) return fallback;
      const number = parseFloat(value.replaceAll('_', ''));
      const place = value.endsWith('%') ? Math.round((number * count) / 100) : number;
      return Math.max(0, Math.min(count, place < 0 ? count + place : place));
    };
    return { name, range: (count) => [at(from, count, 0), at(to, count, count)] };
  });
}
