// Loads an experiment: a TypeScript or JavaScript module whose default export makes plain data from an argument string.

import fs from 'node:fs';
import path from 'node:path';
import { describeThrown, withCause } from '../describe-error';
import { catalogue, UserError } from '../errors';
import { isFile } from '../is-file';
import { nearest } from '../suggest';

const errors = catalogue('config', {
  missingFile: (v: { file: string; looked: readonly string[]; near?: string }) => ({
    what: `There is no config "${v.file}".${v.near === undefined ? '' : ` Did you mean "${v.near}"?`}`,
    fix: `give the path of a .ts or .js file; looked in: ${v.looked.join(', ')}.`,
  }),
  throws: (v: { file: string; when: string; message: string }) => ({
    what: `The config ${v.file} fails when it is ${v.when}: ${v.message}`,
    fix: 'correct the module; --debug shows the stack trace.',
  }),
  export: (v: { file: string; found: string }) => ({
    what: `The config ${v.file} has ${v.found}, expected a function of the argument string or an object.`,
    fix: 'write `export default defineConfig((arg) => ({ ... }))`.',
  }),
  result: (v: { file: string; found: string }) => ({
    what: `The config ${v.file} returned ${v.found}, expected an object with the config's fields.`,
    fix: 'return the config from the function that the module exports.',
  }),
  argument: (v: { file: string; arg: string }) => ({
    what: `The config ${v.file} is plain data and takes no argument string, got "${v.arg}".`,
    fix: 'export a function of the argument string, or leave out what follows the colon.',
  }),
  notPlain: (v: { path: string; found: string }) => ({
    what: `The config's "${v.path}" is ${v.found}: a config is plain data (numbers, texts, booleans, null, lists, objects).`,
    fix: 'put its name or its options there instead.',
  }),
});

export interface ConfigSource {
  /** Absolute. */
  readonly file: string;
  readonly arg: string;
  /** The file's name without folder and extension: names the default workdir. */
  readonly name: string;
}

/** Finds the file of `FILE[:ARG]` in the first of the folders that has it. */
export function findConfig(spec: string, folders: readonly string[]): ConfigSource {
  const { file, arg } = splitSpec(spec);
  for (const folder of folders) {
    for (const extension of ['', '.ts', '.js']) {
      const candidate = path.resolve(folder, file + extension);
      if (isFile(candidate)) return { file: candidate, arg, name: nameOf(candidate) };
    }
  }
  const near = folders
    .map((folder) => nearestFile(path.resolve(folder, file)))
    .find((name) => name !== undefined);
  throw errors.missingFile({
    file,
    looked: [...new Set(folders.map((folder) => path.dirname(path.resolve(folder, file))))],
    near: near === undefined ? undefined : path.join(path.dirname(file), near),
  });
}

/** A run's own config.json is called after its workdir. */
function nameOf(file: string): string {
  const { base, dir, name } = path.parse(file);
  return base === 'config.json' ? path.basename(dir) : name;
}

/** The colon of the argument is the first after the extension, so that `C:\configs\vit.ts` stays whole. */
function splitSpec(spec: string): { file: string; arg: string } {
  const match = /^(.+?\.(?:[cm]?[jt]s|json))(?::(.*))?$/s.exec(spec) ?? /^([^:]+)(?::(.*))?$/s.exec(spec);
  return { file: match?.[1] ?? spec, arg: match?.[2] ?? '' };
}

function nearestFile(missing: string): string | undefined {
  try {
    const names = fs.readdirSync(path.dirname(missing)).filter((name) => /\.[cm]?[jt]s$/.test(name));
    const found = nearest(
      path.parse(missing).name,
      names.map((name) => path.parse(name).name),
    );
    return names.find((name) => path.parse(name).name === found);
  } catch {
    return undefined;
  }
}

/** What the module returns for its argument string: plain data, not checked against the schema yet. */
export async function loadConfig(source: ConfigSource): Promise<Record<string, unknown>> {
  const file = path.relative(process.cwd(), source.file) || source.file;
  const exported = loadModule(source.file, file);
  if (typeof exported !== 'function') {
    if (!isObject(exported))
      throw errors.export({ file, found: `the default export ${describeValue(exported)}` });
    if (source.arg !== '') throw errors.argument({ file, arg: source.arg });
    return plainCopy(exported, '') as Record<string, unknown>;
  }
  const result = await callModule(exported as (arg: string) => unknown, source.arg, file);
  if (!isObject(result)) throw errors.result({ file, found: describeValue(result) });
  return plainCopy(result, '') as Record<string, unknown>;
}

function loadModule(absolute: string, file: string): unknown {
  let module: unknown;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    module = require(absolute);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw withCause(errors.throws({ file, when: 'loaded', message: describeThrown(error, absolute) }), error);
  }
  if (isObject(module) && 'default' in module) return module['default'];
  if (isObject(module) && '__esModule' in module) throw errors.export({ file, found: 'no default export' });
  return module;
}

async function callModule(config: (arg: string) => unknown, arg: string, file: string): Promise<unknown> {
  try {
    return await config(arg);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw withCause(
      errors.throws({ file, when: `called with "${arg}"`, message: describeThrown(error) }),
      error,
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy without keys that are undefined; what JSON couldn't hold is an error that names the key. */
function plainCopy(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw errors.notPlain({ path, found: String(value) });
    return value;
  }
  if (Array.isArray(value)) return value.map((item, i) => plainCopy(item, `${path}.${i}`));
  const prototype: unknown = isObject(value) ? Object.getPrototypeOf(value) : undefined;
  // A module of another realm (a test's) has another Object.prototype; both have none above them.
  const isPlain = prototype === null || (isObject(prototype) && Object.getPrototypeOf(prototype) === null);
  if (!isObject(value) || !isPlain) throw errors.notPlain({ path, found: describeValue(value) });
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, plainCopy(item, path === '' ? key : `${path}.${key}`)]),
  );
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}`;
}
