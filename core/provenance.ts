// What a run was made with: versions, the commit, and the content of every file that was loaded. With the resolved config it
// is enough to make the run again.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { coreVersion, packageName, packageRoot } from './workspace/paths';
import type { Session } from './workspace/session';

export interface Provenance {
  readonly core: string;
  readonly node: string;
  /** One line: `XLA on 1 cpu device (xla-cpu-pjrt 0.0.1)`. */
  readonly runtime: string;
  /** Versions of all plugins that were loaded. */
  readonly plugins: Readonly<Record<string, string>>;
  /** Those that tapped hooks. */
  readonly applied: readonly string[];
  /** Of the repository that holds the workspace; none outside of one. */
  readonly commit?: string;
  /** SHA-256 of the workspace's package-lock.json: the versions of everything from npm. */
  readonly lock?: string;
  /** SHA-256 of every source file that was loaded, by its name: see `loadedFiles`. */
  readonly files: Readonly<Record<string, string>>;
}

const run = promisify(execFile);

/** What `git` prints, or undefined where there is no repository or no git. */
export async function git(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run('git', ['-C', folder, ...args])).stdout.trimEnd();
  } catch {
    return undefined;
  }
}

/**
 * The source files that this process has loaded, without those of npm packages: the lock file stands for them. Names are
 * relative to the workspace, or begin with this package's name where that lies elsewhere.
 */
function loadedFiles(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of Object.keys(require.cache)) {
    const name = nameOf(file, root);
    if (name !== undefined) files.set(name, file);
  }
  return files;
}

function nameOf(file: string, root: string): string | undefined {
  for (const [folder, prefix] of [
    [root, ''],
    [packageRoot, `${packageName}/`],
  ] as const) {
    const relative = path.relative(folder, file);
    if (relative.startsWith('..') || relative.split(path.sep).includes('node_modules')) continue;
    return prefix + relative.split(path.sep).join('/');
  }
  return undefined;
}

/** The file of a recorded name. */
function fileOf(name: string, root: string): string {
  const ours = `${packageName}/`;
  return name.startsWith(ours) ? path.join(packageRoot, name.slice(ours.length)) : path.join(root, name);
}

/** In hex. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Undefined if the file isn't there. */
async function hashOf(file: string): Promise<string | undefined> {
  try {
    return sha256(await fs.readFile(file));
  } catch {
    return undefined;
  }
}

/** Called when what the run needs is loaded. */
export async function provenanceOf(
  { workspace: { root }, plugins }: Session,
  applied: readonly string[],
  runtime: string,
): Promise<Provenance> {
  const files = [...loadedFiles(root)].sort(([a], [b]) => (a < b ? -1 : 1));
  const hashes = files.map(async ([name, file]) => [name, (await hashOf(file)) ?? 'gone'] as const);
  return {
    core: coreVersion,
    node: process.version,
    runtime,
    plugins: Object.fromEntries(plugins.map(({ plugin: { name, version } }) => [name, version])),
    applied,
    commit: await git(root, 'rev-parse', 'HEAD'),
    lock: await hashOf(path.join(root, 'package-lock.json')),
    files: Object.fromEntries(await Promise.all(hashes)),
  };
}

/** For every checkpoint, of a run whose workdir has the whole: one hash stands for those of all files. */
export function summaryOf(provenance: Provenance) {
  return { ...provenance, files: sha256(JSON.stringify(provenance.files)) };
}

export interface Change {
  /** A file, or one of: core, node, package-lock.json, plugin NAME. */
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** What differs now from what was recorded: files by their content, versions by their names. */
export async function changesSince(
  was: Provenance,
  session: Session,
): Promise<{ readonly versions: readonly Change[]; readonly files: readonly Change[] }> {
  const { root } = session.workspace;
  const versionOf = new Map(session.plugins.map(({ plugin }) => [plugin.name, plugin.version]));
  const pairs: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['core', was.core, coreVersion],
    ['node', was.node, process.version],
    ['package-lock.json', was.lock, await hashOf(path.join(root, 'package-lock.json'))],
    ...Object.entries(was.plugins).map(
      ([name, version]) => [`plugin ${name}`, version, versionOf.get(name)] as const,
    ),
  ];
  const files = await Promise.all(
    Object.entries(was.files).map(
      async ([name, hash]) => [name, hash, await hashOf(fileOf(name, root))] as const,
    ),
  );
  const changed = (all: typeof pairs): Change[] =>
    all
      .filter(([, before, now]) => before !== now)
      .map(([what, before = 'none', now = 'none']) => ({ what, was: before, is: now }));
  return { versions: changed(pairs), files: changed(files) };
}
