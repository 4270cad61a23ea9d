// A project's configs against the resolved trees of the original's, by the names and arguments of both.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { findConfig, loadConfig } from '../../core/config/load';
import { resolveConfig } from '../../core/config/resolve';
import { openSession } from '../../core/workspace/session';
import { root } from './cli';

export type Tree = { readonly [key: string]: unknown };

const { registry, plugins } = openSession(root);
const context = { registry, plugins: plugins.map(({ plugin }) => plugin) };

/** The config of this file below the repository, with its argument; it has to be one that resolves. */
export async function configOf(spec: string): Promise<Tree> {
  const config = await loadConfig(findConfig(spec, [root]));
  expect(() => resolveConfig(config, [], context)).not.toThrow();
  return config;
}

/**
 * A test for each config and argument of a file in test/golden: {CONFIG: {ARGUMENT: the original's tree}}.
 * @param folder of our configs
 * @param asOurs the tree that ours should be
 * @param normal what of ours is compared; default: all of it
 */
export function testOriginalConfigs(
  file: string,
  folder: string,
  asOurs: (tree: Tree) => unknown,
  normal: (config: Tree) => unknown = (config) => config,
): void {
  const bytes = fs.readFileSync(path.join(root, 'test/golden', file));
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  const trees = JSON.parse(text) as Readonly<Record<string, Readonly<Record<string, Tree>>>>;
  describe.each(Object.entries(trees))('%s', (name, byArgument) => {
    it.each(Object.entries(byArgument))('is the original\'s, with the argument "%s"', async (arg, tree) => {
      expect(normal(await configOf(`${folder}/${name}.ts:${arg}`))).toEqual(asOurs(tree));
    });
  });
}
