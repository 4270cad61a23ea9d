// Parameters from a file by the original's path grammar, and their merge into freshly initialised ones.

import type { HostArray } from '../array';
import { catalogue } from '../errors';
import type { ParamArrays } from '../extensions';
import { didYouMean } from '../suggest';
import { type Tree, fullMatch, namedLeaves, nest } from '../tree';
import { NpzReader } from './npz';
import { findCheckpoint } from './store';

export const loadErrors = catalogue('load', {
  path: (v: { path: string }) => ({
    what: `"${v.path}" is not the path of a checkpoint: it has no slash.`,
    fix: `"./${v.path}" for a file in this folder.`,
  }),
  bucket: (v: { path: string }) => ({
    what: `"${v.path}" is in a bucket, and nothing is downloaded here.`,
    fix: 'download it and give the path of the file.',
  }),
  subtree: (v: { file: string; key: string; known: readonly string[] }) => ({
    what: `There is no "${v.key}" in the parameters of "${v.file}".${didYouMean(v.key, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
  tree: (v: { file: string; reason: string }) => ({
    what: `The names in "${v.file}" don't make a tree: ${v.reason}.`,
    fix: 'write the file anew; a name must not be both an array and a folder of arrays.',
  }),
  mismatch: (v: {
    missing: readonly string[];
    unexpected: readonly string[];
    loaded: readonly string[];
    inited: readonly string[];
  }) => ({
    what: [
      'The checkpoint and the model have different parameters.',
      ...listing('In the model, but neither in the checkpoint nor named by dont_load', v.missing, ' - '),
      ...listing('In the checkpoint, but neither in the model nor named by dont_load', v.unexpected, ' + '),
      ...listing('All in the checkpoint', v.loaded, '   '),
      ...listing('All in the model', v.inited, '   '),
    ].join('\n'),
    fix: 'add patterns for these names to model_load.dont_load, or make the model options agree with the checkpoint.',
  }),
  pattern: (v: { pattern: string; reason: string }) => ({
    what: `"${v.pattern}" in dont_load ${v.reason}.`,
    fix: 'write a regular expression that matches whole names, such as "head/.*".',
  }),
});

const listing = (title: string, names: readonly string[], indent: string) =>
  names.length > 0 ? [`${title}:`, ...[...names].sort().map((name) => indent + name)] : [];

export interface CheckpointPath {
  readonly file: string;
  /** Slash-joined name of the part to take, if the path names one after a colon. */
  readonly key?: string;
}

/**
 * Splits `FILE:SUBTREE`: the part after the last colon, if it is made of word characters and slashes, names a subtree.
 * @throws UserError without a slash, which tells a path from the name of a released model.
 */
export function parseCheckpointPath(path: string): CheckpointPath {
  const [, file, key] = /^(.*?\/.*?)(?::([\w/]+))?$/s.exec(path) ?? [];
  if (file === undefined) throw loadErrors.path({ path });
  return key === undefined ? { file } : { file, key };
}

/**
 * The parameters of a checkpoint: a .npz file, or a run's own checkpoint (its folder, or the workdir for the newest).
 * That is what is under `params`, else under `opt/target` (Flax optimizers before 2022), else all of it; of that the
 * subtree after the colon, as in `siglip.npz:img`. Of a .npz only these arrays are read.
 */
export async function loadParams(path: string): Promise<ParamArrays> {
  return withArchive(path, readParams);
}

/** One parameter of a checkpoint, which the path names after the colon: `siglip.npz:t`. */
export async function loadParam(path: string): Promise<HostArray> {
  return withArchive(path, (archive, file, key = '') => {
    const root = rootOf(archive);
    if (archive.names.includes(root + key)) return archive.read(root + key);
    const known = archive.names
      .filter((name) => name.startsWith(root))
      .map((name) => name.slice(root.length));
    throw loadErrors.subtree({ file, key, known });
  });
}

type Read<T> = (archive: Archive, file: string, key: string | undefined) => Promise<T>;

async function withArchive<T>(path: string, read: Read<T>): Promise<T> {
  const { file, key } = parseCheckpointPath(path);
  if (/^\w+:\/\//.test(file)) throw loadErrors.bucket({ path });
  const archive = file.includes('.npz') ? await NpzReader.open(file) : await openRun(file);
  try {
    return await read(archive, file, key);
  } finally {
    await archive.close();
  }
}

/** Named arrays. */
type Archive = Pick<NpzReader, 'names' | 'read' | 'close'>;

async function openRun(folder: string): Promise<Archive> {
  const { arrays } = await findCheckpoint(folder, () => undefined);
  const named = new Map(arrays);
  return {
    names: [...named.keys()],
    read: async (name) => named.get(name) as HostArray,
    close: async () => undefined,
  };
}

const rootOf = ({ names }: Archive) =>
  ['params/', 'opt/target/'].find((start) => names.some((name) => name.startsWith(start))) ?? '';

async function readParams(reader: Archive, file: string, key: string | undefined): Promise<ParamArrays> {
  const root = rootOf(reader);
  const inRoot = reader.names.filter((name) => name.startsWith(root));
  const prefix = key === undefined ? root : `${root}${key.replace(/\/$/, '')}/`;
  const wanted = inRoot.filter((name) => name.startsWith(prefix));
  if (wanted.length === 0) {
    throw loadErrors.subtree({
      file,
      key: key ?? '',
      known: innerNames(inRoot.map((name) => name.slice(root.length))),
    });
  }
  const arrays: [string, HostArray][] = [];
  for (const name of wanted) arrays.push([name.slice(prefix.length), await reader.read(name)]);
  return toTree(file, arrays);
}

function toTree(file: string, arrays: readonly [string, HostArray][]): ParamArrays {
  try {
    return nest(arrays);
  } catch (error) {
    throw loadErrors.tree({ file, reason: (error as Error).message });
  }
}

/** The names of the subtrees that hold these leaves: `a/b/c` is in `a` and `a/b`. */
function innerNames(names: readonly string[]): string[] {
  const inner = new Set<string>();
  for (const name of names) {
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth++) inner.add(parts.slice(0, depth).join('/'));
  }
  return [...inner].sort();
}

/**
 * A tree of the names of `inited` with the values of `loaded`, except that names which match a pattern of `dont_load`
 * (whole) keep their initial values. Shapes are not compared: a model may have to resample what differs.
 * @throws UserError naming what only one side has, unless `dont_load` covers it.
 */
export function mergeParams(
  loaded: ParamArrays,
  inited: ParamArrays,
  dontLoad: readonly string[] = [],
): ParamArrays {
  const patterns = dontLoad.map(compile);
  const shouldLoad = (name: string) => !patterns.some((pattern) => pattern.test(name));
  const from = new Map(namedLeaves<HostArray>(loaded as Tree<HostArray>));
  const to = namedLeaves<HostArray>(inited as Tree<HostArray>);
  const names = new Set(to.map(([name]) => name));

  const missing = [...names].filter((name) => !from.has(name) && shouldLoad(name));
  const unexpected = [...from.keys()].filter((name) => !names.has(name) && shouldLoad(name));
  if (missing.length > 0 || unexpected.length > 0) {
    throw loadErrors.mismatch({ missing, unexpected, loaded: [...from.keys()], inited: [...names] });
  }
  return nest(
    to.map(([name, init]) => [name, (shouldLoad(name) ? from.get(name) : undefined) ?? init] as const),
  );
}

function compile(pattern: string): RegExp {
  if (pattern.startsWith('/'))
    throw loadErrors.pattern({ pattern, reason: 'starts with a slash, which no name does' });
  try {
    return fullMatch(pattern);
  } catch (error) {
    throw loadErrors.pattern({
      pattern,
      reason: `is not a regular expression (${(error as Error).message})`,
    });
  }
}
