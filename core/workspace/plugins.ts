// Finds, imports and checks plugins: the built-in ones, the workspace's own, and those that its config names.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import satisfies from 'semver/functions/satisfies';
import validRange from 'semver/ranges/valid';
import { describeThrown, withCause } from '../describe-error';
import { catalogue, UserError } from '../errors';
import type { Plugin } from '../plugin';
import { didYouMean } from '../suggest';
import { coreVersion, packageName, packageRoot, shortPath } from './paths';
import type { Workspace } from './workspace';

/** Where a plugin comes from: this package, a folder of the workspace, or the workspace's config by name. */
export type Origin = 'built-in' | 'workspace' | 'named';

export interface FoundPlugin {
  readonly file: string;
  readonly origin: Origin;
}

export interface LoadedPlugin extends FoundPlugin {
  readonly plugin: Plugin;
  readonly importMs: number;
}

export interface FailedPlugin extends FoundPlugin {
  readonly error: UserError;
}

const errors = catalogue('plugin', {
  notFound: (v: { name: string; workspace: string }) => ({
    what: `The plugin "${v.name}", named in ${v.workspace}, isn't there.`,
    fix: v.name.startsWith('.')
      ? 'correct the path: it is taken from the folder of that file.'
      : `npm install ${v.name}`,
  }),
  imports: (v: { file: string; message: string }) => ({
    what: `The plugin ${v.file} fails when it is imported: ${v.message}`,
    fix: 'correct the plugin, or leave it out of the workspace; --debug shows the stack trace.',
  }),
  export: (v: { file: string; problem: string }) => ({
    what: `The plugin ${v.file} ${v.problem}.`,
    fix: 'write `export default definePlugin({ name, version, core, doc, register })` in its index.ts.',
  }),
  core: (v: { name: string; file: string; range: string }) => ({
    what: `The plugin "${v.name}" (${v.file}) needs core ${v.range}, this is ${coreVersion}.`,
    fix: `install a version of "${v.name}" for core ${coreVersion}, or a ${packageName} that matches ${v.range}.`,
  }),
  range: (v: { name: string; field: string; range: string }) => ({
    what: `The plugin "${v.name}" has "${v.range}" as its ${v.field}, which isn't a range of versions.`,
    fix: 'write a range as in package.json, such as "^0.1.0".',
  }),
  needs: (v: { name: string; needed: string; range: string; known: readonly string[] }) => ({
    what: `The plugin "${v.name}" needs the plugin "${v.needed}" (${v.range}), which isn't here.${didYouMean(v.needed, v.known)}`,
    fix: `add "${v.needed}" to the plugins of the workspace.`,
  }),
  needsVersion: (v: { name: string; needed: string; range: string; version: string }) => ({
    what: `The plugin "${v.name}" needs "${v.needed}" ${v.range}, found ${v.version}.`,
    fix: `install a version of "${v.needed}" that matches ${v.range}, or a "${v.name}" that takes ${v.version}.`,
  }),
  cycle: (v: { chain: readonly string[] }) => ({
    what: `Plugins need each other in a circle: ${v.chain.join(' -> ')}.`,
    fix: 'take one of them out of the "needs" of another.',
  }),
  twice: (v: { name: string; first: string; second: string }) => ({
    what: `Two plugins are called "${v.name}": ${v.first} and ${v.second}.`,
    fix: 'rename one of them in its definePlugin, or leave one out of the workspace.',
  }),
});

/** The files of all plugins, each once: built-in, then the workspace's, then the named ones. */
export function findPlugins(workspace: Workspace, failed?: FailedPlugin[]): FoundPlugin[] {
  const folders = (root: string, origin: Origin) =>
    ['plugins', 'proj'].flatMap((folder) =>
      indexFiles(path.join(root, folder)).map((file) => ({ file, origin })),
    );
  const named = workspace.config.plugins.flatMap((name): FoundPlugin[] => {
    const file = resolveNamed(name, workspace);
    if (file !== undefined) return [{ file, origin: 'named' }];
    const error = errors.notFound({ name, workspace: shortPath(workspace.file ?? workspace.root) });
    if (!failed) throw error;
    failed.push({ file: name, origin: 'named', error });
    return [];
  });
  const all = [...folders(packageRoot, 'built-in'), ...folders(workspace.root, 'workspace'), ...named];
  const files = new Map<string, FoundPlugin>();
  for (const found of all) {
    const real = fs.realpathSync(found.file);
    if (!files.has(real)) files.set(real, found);
  }
  return [...files.values()];
}

function indexFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .sort()
    .flatMap((name) => ['index.ts', 'index.js'].map((index) => path.join(folder, name, index)))
    .filter((file) => fs.existsSync(file));
}

function resolveNamed(name: string, workspace: Workspace): string | undefined {
  const from = createRequire(path.join(workspace.root, 'package.json'));
  const isPath = name.startsWith('.') || path.isAbsolute(name);
  for (const request of isPath ? [name, path.join(name, 'index.ts')] : [name]) {
    try {
      return from.resolve(isPath ? path.resolve(workspace.root, request) : request);
    } catch {
      // The next form, or none.
    }
  }
  return undefined;
}

/** Imports one plugin and checks its manifest. */
function loadPlugin(found: FoundPlugin): LoadedPlugin {
  const start = performance.now();
  const file = shortPath(found.file);
  let module: { default?: unknown };
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    module = require(found.file) as { default?: unknown };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw withCause(errors.imports({ file, message: describeThrown(error, found.file) }), error);
  }
  const exported = module.default ?? module;
  const problem = manifestProblem(exported);
  if (problem !== undefined) throw errors.export({ file, problem });
  const plugin = exported as Plugin;
  checkCore(plugin, file);
  return { ...found, plugin, importMs: performance.now() - start };
}

function manifestProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'has no default export that is a plugin';
  const manifest = value as Record<string, unknown>;
  const missing = ['name', 'version', 'core', 'doc'].filter((key) => typeof manifest[key] !== 'string');
  if (missing.length > 0) return `has no ${missing.join(', ')} in its default export`;
  if (!/^[a-z][a-z0-9_-]*$/.test(manifest['name'] as string)) {
    return `has the name "${String(manifest['name'])}", expected lower case with dashes`;
  }
  if (manifest['apply'] !== undefined && manifest['options'] === undefined) {
    return 'has "apply" but no "options": the schema of its key in a config';
  }
  return undefined;
}

function checkCore(plugin: Plugin, file: string): void {
  const { name, core } = plugin;
  if (validRange(core) === null) throw errors.range({ name, field: '"core"', range: core });
  if (!satisfies(coreVersion, core, { includePrerelease: true }))
    throw errors.core({ name, file, range: core });
}

/** Imports all; with `failed` given, a plugin that can't be used goes there and the rest goes on. */
export function loadPlugins(found: readonly FoundPlugin[], failed?: FailedPlugin[]): LoadedPlugin[] {
  const loaded = found.flatMap((plugin) => {
    try {
      return [loadPlugin(plugin)];
    } catch (error) {
      if (!failed || !(error instanceof UserError)) throw error;
      failed.push({ ...plugin, error });
      return [];
    }
  });
  return orderPlugins(loaded, failed);
}

/** Each plugin after those that it needs, and otherwise in the order given. */
export function orderPlugins(loaded: readonly LoadedPlugin[], failed?: FailedPlugin[]): LoadedPlugin[] {
  const byName = new Map<string, LoadedPlugin>();
  const fail = (found: FoundPlugin, error: UserError) => {
    if (!failed) throw error;
    failed.push({ file: found.file, origin: found.origin, error });
  };
  for (const found of loaded) {
    const { name } = found.plugin;
    const before = byName.get(name);
    if (!before) byName.set(name, found);
    else fail(found, errors.twice({ name, first: shortPath(before.file), second: shortPath(found.file) }));
  }
  const ordered = new Set<LoadedPlugin>();
  const visit = (found: LoadedPlugin, chain: readonly string[]): void => {
    const { name, needs = {} } = found.plugin;
    if (chain.includes(name)) throw errors.cycle({ chain: [...chain.slice(chain.indexOf(name)), name] });
    if (ordered.has(found)) return;
    for (const [needed, range] of Object.entries(needs)) {
      visit(neededPlugin(name, needed, range, byName), [...chain, name]);
    }
    ordered.add(found);
  };
  for (const found of byName.values()) {
    try {
      visit(found, []);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      fail(found, error);
    }
  }
  return [...ordered];
}

function neededPlugin(
  name: string,
  needed: string,
  range: string,
  byName: ReadonlyMap<string, LoadedPlugin>,
): LoadedPlugin {
  if (validRange(range) === null) throw errors.range({ name, field: `need of "${needed}"`, range });
  const found = byName.get(needed);
  if (!found) throw errors.needs({ name, needed, range, known: [...byName.keys()] });
  const { version } = found.plugin;
  if (!satisfies(version, range, { includePrerelease: true })) {
    throw errors.needsVersion({ name, needed, range, version });
  }
  return found;
}
