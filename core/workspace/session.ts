// All that a command needs before it has a config: the workspace, its plugins, and what they have registered.

import { isOn } from '../config/resolve';
import { Container } from '../container';
import { UserError } from '../errors';
import { Registry } from '../extensions';
import type { TrainerHooks } from '../hooks';
import { parseOptions } from '../options';
import { registrarFor } from '../plugin';
import { tokens } from '../train/run';
import { type FailedPlugin, findPlugins, type LoadedPlugin, loadPlugins } from './plugins';
import { findWorkspace, type Workspace } from './workspace';

export interface Session {
  readonly workspace: Workspace;
  readonly plugins: readonly LoadedPlugin[];
  /** Empty unless the session is lenient. */
  readonly failed: readonly FailedPlugin[];
  readonly registry: Registry;
  readonly container: Container;
}

export interface SessionOptions {
  /** Plugins that can't be used are left out and reported, instead of an error: for `bv doctor` and `bv list`. */
  readonly lenient?: boolean;
}

export function openSession(cwd: string, { lenient = false }: SessionOptions = {}): Session {
  const workspace = findWorkspace(cwd);
  const failed: FailedPlugin[] = [];
  const collect = lenient ? failed : undefined;
  const plugins = loadPlugins(findPlugins(workspace, collect), collect);
  const registry = new Registry();
  const container = Container.create();
  container.provide(tokens.registry, registry);
  container.provide(tokens.root, workspace.root);
  const registered = plugins.filter((found) => {
    try {
      found.plugin.register?.(registrarFor(found.plugin, registry, container));
      return true;
    } catch (error) {
      if (!lenient || !(error instanceof UserError)) throw error;
      failed.push({ file: found.file, origin: found.origin, error });
      return false;
    }
  });
  return { workspace, plugins: registered, failed, registry, container };
}

/** Has every plugin that the config has a key for tap the hooks; returns their names. */
export function applyPlugins(
  plugins: readonly LoadedPlugin[],
  config: Readonly<Record<string, unknown>>,
  hooks: TrainerHooks,
): string[] {
  const applied = plugins.filter(({ plugin }) => plugin.apply !== undefined && isOn(config[plugin.name]));
  for (const { plugin } of applied) {
    const options: unknown = plugin.options && parseOptions(plugin.options, config[plugin.name], plugin.name);
    plugin.apply?.(hooks, options as never);
  }
  return applied.map(({ plugin }) => plugin.name);
}
