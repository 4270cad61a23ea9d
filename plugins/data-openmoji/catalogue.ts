// What OpenMoji says about each of its pictures.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../core/errors';

const errors = catalogue('openmoji', {
  missing: (v: { message: string }) => ({
    what: `The data source "openmoji" can't read the npm package "openmoji": ${v.message}.`,
    fix: 'npm install openmoji@17.0.0 (4 MB to download, 18 MB of pictures under CC BY-SA 4.0).',
  }),
});

/** The fields that are read of the package's `data/openmoji.json`. */
interface Entry {
  readonly hexcode: string;
  readonly group: string;
  readonly annotation: string;
  readonly tags: string;
  readonly openmoji_tags: string;
  readonly skintone_base_hexcode: string;
}

export interface Emoji {
  /** Code points, as in the names of the package's files. */
  readonly hexcode: string;
  /** That of the picture without a skin tone. */
  readonly base: string;
  readonly name: string;
  readonly group: string;
  readonly tags: readonly string[];
}

/** The folder of the package. */
export function openmojiFolder(): string {
  try {
    return path.dirname(require.resolve('openmoji/package.json'));
  } catch (error) {
    throw errors.missing({ message: String((error as Error).message).split('\n')[0] as string });
  }
}

/** Parts of faces and flags, which aren't pictures of anything. */
const leftOut = 'component';

/** All pictures in the order of the package. */
export function readEmojis(folder = openmojiFolder()): Emoji[] {
  let text: string;
  try {
    text = fs.readFileSync(path.join(folder, 'data', 'openmoji.json'), 'utf8');
  } catch (error) {
    throw errors.missing({ message: (error as Error).message });
  }
  return (JSON.parse(text) as Entry[])
    .filter(({ group }) => group !== leftOut)
    .map((entry) => ({
      hexcode: entry.hexcode,
      base: entry.skintone_base_hexcode || entry.hexcode,
      name: entry.annotation,
      group: entry.group.replaceAll('-', ' '),
      tags: tagsOf(entry),
    }));
}

function tagsOf({ tags, openmoji_tags, annotation }: Entry): string[] {
  const all = `${tags},${openmoji_tags}`.split(',').map((tag) => tag.trim());
  return [...new Set(all)].filter((tag) => tag !== '' && tag !== annotation);
}

/** One in seven is for testing, by the code points, so that new pictures move none of the old ones. */
export function isTest({ base }: Emoji): boolean {
  return createHash('sha1').update(base).digest().readUInt8(0) % 7 === 0;
}
