// The workspace: the nearest folder upwards with a `.bvrc`, a `bv.config.ts` or a "bv" key in its package.json. It
// names the plugins of a user beside the built-in ones.

import path from 'node:path';
import { cosmiconfigSync } from 'cosmiconfig';
import { z } from 'zod';
import { describeThrown, withCause } from '../describe-error';
import { catalogue } from '../errors';
import { parseOptions } from '../options';
import { shortPath } from './paths';

const workspaceSchema = z.strictObject({
  plugins: z.array(z.string()).default([]).describe('npm packages, or paths from the folder of this file'),
  runtime: z.string().optional().describe('used where neither the config nor the command line names one'),
  compile_cache: z
    .union([z.string(), z.literal(false)])
    .default('.cache/compile')
    .describe('folder of compiled programs, false for none'),
});
export type WorkspaceConfig = z.output<typeof workspaceSchema>;
export type WorkspaceInput = z.input<typeof workspaceSchema>;

export interface Workspace {
  /** The folder of the file, or the current folder where there is no file. */
  readonly root: string;
  readonly file?: string;
  readonly config: WorkspaceConfig;
}

const errors = catalogue('workspace', {
  unreadable: (v: { file: string; message: string }) => ({
    what: `The workspace's config ${v.file} can't be read: ${v.message}`,
    fix: 'correct the file; it holds {"plugins": [names or paths], "runtime": name, "compile_cache": folder}.',
  }),
});

const places = [
  'package.json',
  '.bvrc',
  '.bvrc.json',
  '.bvrc.yaml',
  '.bvrc.yml',
  'bv.config.ts',
  'bv.config.js',
  'bv.config.cjs',
];

/** Types a `bv.config.ts`. */
export function defineWorkspace(config: WorkspaceInput): WorkspaceInput {
  return config;
}

export function findWorkspace(from: string): Workspace {
  const found = search(from);
  if (!found) return { root: from, config: workspaceSchema.parse({}) };
  const { file, config } = found;
  return {
    root: path.dirname(file),
    file,
    config: parseOptions(workspaceSchema, config, '', shortPath(file)),
  };
}

function search(from: string): { file: string; config: unknown } | undefined {
  const load = (file: string): unknown => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const module = require(file) as { default?: unknown };
    return module.default ?? module;
  };
  const explorer = cosmiconfigSync('bv', {
    searchPlaces: places,
    // The search ends at the root of the file system, not at a package.json without our key.
    stopDir: path.parse(from).root,
    // Our own require hooks compile TypeScript; cosmiconfig would want the compiler itself.
    loaders: { '.ts': load, '.js': load, '.cjs': load },
    cache: false,
  });
  try {
    const result = explorer.search(from) as { filepath: string; config: unknown } | null;
    return result ? { file: result.filepath, config: result.config } : undefined;
  } catch (error) {
    const file = shortPath((error as { filepath?: string }).filepath ?? from);
    throw withCause(errors.unreadable({ file, message: describeThrown(error) }), error);
  }
}
