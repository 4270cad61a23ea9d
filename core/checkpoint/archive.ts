// What every form of a checkpoint is read as: named arrays, one at a time.

import type { ArraySpec, HostArray } from '../array';
import type { ArrayBlock, Extent } from '../blocks';
import { catalogue, ExitCode } from '../errors';
import { didYouMean } from '../suggest';
import type { StoredArray } from './stored';

export type Form = 'npz' | 'safetensors' | 'native' | 'tensorstore';

/** An open checkpoint. Nothing but names is in memory until it is asked for. */
export interface Archive {
  readonly form: Form;
  /** The file or folder that is read. */
  readonly path: string;
  /** Slash-joined names of the arrays. */
  readonly names: readonly string[];
  /** The step of the run that wrote it, where the form says. */
  readonly step?: number;
  /** @throws UserError that names the array, if it is unknown, damaged or of a type that we can't hold; so do the others. */
  describe(name: string): Promise<StoredArray>;
  read(name: string): Promise<HostArray>;
  /** Blocks of an array. Where the form allows it, no more than these is read. */
  readBlocks(name: string, wanted: readonly Extent[]): Promise<readonly ArrayBlock[]>;
  /** The bytes of all values in pieces, row after row or not: what needs the whole array is `read`. */
  bytes(name: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** An array that is read when its turn comes to be written. */
export interface ArraySource {
  readonly name: string;
  readonly spec: ArraySpec;
  read(): Promise<HostArray>;
}

/** Arrays that are in memory already. */
export const sourcesOf = (arrays: readonly (readonly [string, HostArray])[]): ArraySource[] =>
  arrays.map(([name, array]) => ({ name, spec: array, read: () => Promise.resolve(array) }));

/** Messages that all files of arrays have. */
export const fileMessages = {
  unknownEntry: (v: { file: string; entry: string; known: readonly string[] }) => ({
    what: `There is no "${v.entry}" in "${v.file}".${didYouMean(v.entry, v.known)}`,
    fix: `one of: ${v.known.slice(0, 40).join(', ')}${v.known.length > 40 ? ', ...' : ''}.`,
  }),
  write: (v: { file: string; reason: string }) => ({
    what: `"${v.file}" can't be written: ${v.reason}.`,
    fix: 'make room, or name a folder that exists and can be written to.',
    exitCode: ExitCode.storage,
  }),
};

const errors = catalogue('checkpoint', {
  name: (v: { file: string; name: string; reason: string }) => ({
    what: `"${v.file}" has an array with the name ${JSON.stringify(v.name.slice(0, 200))}, ${v.reason}.`,
    fix: 'write the file anew with names such as "params/head/kernel".',
  }),
});

/** @throws UserError for names that can't be paths in a tree of parameters, or that mean mischief. */
export function checkNames(file: string, names: readonly string[]): void {
  const refuse = (name: string, reason: string) => errors.name({ file, name, reason });
  const folders = new Set<string>();
  for (const name of names) {
    const parts = name.split('/');
    if (parts.includes('__proto__')) throw refuse(name, 'which would reach into the prototype of objects');
    if (parts.some((part) => part === '..' || part === '.'))
      throw refuse(name, 'which would leave its folder');
    if (parts.includes('')) throw refuse(name, 'which is empty or has an empty part');
    // eslint-disable-next-line no-control-regex -- that's what is looked for
    if (/[\u0000-\u001f\u007f]/.test(name)) throw refuse(name, 'which has control characters');
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (folders.has(name)) throw refuse(name, 'which is also a folder of arrays');
    if (seen.has(name)) throw refuse(name, 'which is there twice');
    seen.add(name);
  }
}
