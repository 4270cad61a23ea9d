// Parameters from a file by the original's path grammar, and their merge into freshly initialised ones.

import type { HostArray } from '../array';
import { catalogue } from '../errors';
import type { LoadOptions, ModelInit, ParamArrays } from '../extensions';
import { didYouMean } from '../suggest';
import { type Tree, fullMatch, namedLeaves, nest } from '../tree';
import type { Archive } from './archive';
import type { Readers } from './native';
import { openArchive } from './open';

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
 * The parameters of a checkpoint of any form: what is under `params`, else under `opt/target` (Flax optimizers before 2022),
 * else all of it; of that the subtree after the colon, as in `siglip.npz:img`. Only these arrays are read. Variables of
 * models that have them (`state` at the original) are among the parameters.
 */
export async function loadParams(path: string): Promise<ParamArrays> {
  return withArchive(path, async (archive, key) => {
    const arrays: [string, HostArray][] = [];
    for (const [name, source] of selectParams(archive, key)) arrays.push([name, await archive.read(source)]);
    return nest(arrays);
  });
}

/** One parameter of a checkpoint, which the path names after the colon: `siglip.npz:t`. */
export async function loadParam(path: string): Promise<HostArray> {
  return withArchive(path, (archive, key = '') => {
    const found = paramsOf(archive).find(([name]) => name === key);
    if (found) return archive.read(found[1]);
    throw noSubtree(archive, key);
  });
}

async function withArchive<T>(
  path: string,
  read: (archive: Archive, key: string | undefined) => Promise<T>,
): Promise<T> {
  const { file, key } = parseCheckpointPath(path);
  const archive = await openCheckpoint(file);
  try {
    return await read(archive, key);
  } finally {
    await archive.close();
  }
}

/** @throws UserError for a path in a bucket, beside what `openArchive` throws. */
export async function openCheckpoint(
  file: string,
  report?: (note: string) => void,
  readers?: Readers,
): Promise<Archive> {
  if (/^\w+:\/\//.test(file)) throw loadErrors.bucket({ path: file });
  return openArchive(file, report, readers);
}

/** A name in the part that was asked for, and in the archive. */
export type Selected = readonly [name: string, source: string];

/** The parameters of an archive, or the subtree of them with this name. */
export function selectParams(archive: Archive, key?: string): Selected[] {
  const all = paramsOf(archive);
  if (key === undefined) return all;
  const prefix = `${key.replace(/\/$/, '')}/`;
  const wanted = all.filter(([name]) => name.startsWith(prefix));
  if (wanted.length === 0) throw noSubtree(archive, key);
  return wanted.map(([name, source]) => [name.slice(prefix.length), source]);
}

function paramsOf({ names }: Archive): Selected[] {
  const roots = ['params/', 'opt/target/'];
  const root = roots.find((start) => names.some((name) => name.startsWith(start))) ?? '';
  const under = (start: string) =>
    names.filter((name) => name.startsWith(start)).map((name) => [name.slice(start.length), name] as const);
  return [root, ...(root === 'params/' ? ['state/', 'extra/variables/'] : [])].flatMap(under);
}

function noSubtree(archive: Archive, key: string) {
  const known = innerNames(paramsOf(archive).map(([name]) => name));
  return loadErrors.subtree({ file: archive.path, key, known });
}

/** The names of the subtrees that hold these leaves, and of leaves that are in none: `a/b/c` is in `a` and `a/b`. */
function innerNames(names: readonly string[]): string[] {
  const inner = new Set<string>();
  for (const name of names) {
    const parts = name.split('/');
    if (parts.length === 1) inner.add(name);
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

/** `load` of a model whose checkpoints have its own names and shapes. */
export const loadAsIs = async (
  init: ParamArrays,
  from: ModelInit,
  { dont_load }: LoadOptions,
): Promise<ParamArrays> => mergeParams(await loadParams(from as string), init, dont_load);

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
