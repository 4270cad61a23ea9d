// A checkpoint as a command names it: `FILE` is all of it, `FILE:SUBTREE` a part of its parameters.

import * as fs from 'node:fs';
import type { Archive } from '../checkpoint/archive';
import { openCheckpoint, type Selected, selectParams } from '../checkpoint/load-params';
import { catalogue } from '../errors';
import { print } from './print';

const errors = catalogue('cli', {
  pattern: (v: { pattern: string; reason: string }) => ({
    what: `--match ${JSON.stringify(v.pattern)} is not a regular expression: ${v.reason}.`,
    fix: "write one such as --match '.*/kernel'; it is looked for anywhere in the names.",
  }),
  nothing: (v: { file: string; pattern: string }) => ({
    what: `No array of "${v.file}" has a name with ${JSON.stringify(v.pattern)} in it.`,
    fix: '`bv inspect FILE --quick` lists the names.',
  }),
});

export interface Selection {
  /** Only names in which this regular expression is found. */
  readonly match?: string | undefined;
  /** Only the parameters, even where there is more. */
  readonly params?: boolean;
}

/** Opens what a path names, and picks arrays of it. The caller closes the archive. */
export async function selectFor(
  text: string,
  { match, params }: Selection,
): Promise<{ readonly archive: Archive; readonly selected: readonly Selected[] }> {
  const pattern = match === undefined ? undefined : regex(match);
  const { file, key } = splitPath(text);
  const archive = await openCheckpoint(file, print);
  try {
    const inPart = key !== undefined ? selectParams(archive, key) : all(archive, params);
    const selected = pattern ? inPart.filter(([name]) => pattern.test(name)) : inPart;
    if (selected.length === 0) throw errors.nothing({ file, pattern: match ?? '' });
    return { archive, selected };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

const all = (archive: Archive, params = false): Selected[] => {
  const sources = params ? new Set(selectParams(archive).map(([, source]) => source)) : undefined;
  return archive.names.filter((name) => sources?.has(name) ?? true).map((name) => [name, name]);
};

/** The original's grammar, but a file of this folder needs no `./`, and one whose name has a colon is found too. */
function splitPath(text: string): { readonly file: string; readonly key?: string } {
  const [, file, key] = /^(.+?)(?::(\w[\w/]*))?$/s.exec(text) ?? [];
  return file === undefined || key === undefined || fs.existsSync(text) ? { file: text } : { file, key };
}

function regex(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (error) {
    throw errors.pattern({ pattern, reason: (error as Error).message });
  }
}
