// What `train`, `eval` and `explain` have in common: a session, a checked config, tapped hooks, and a runtime.

import path from 'node:path';
import { findConfig, loadConfig } from '../config/load';
import type { Override } from '../config/overrides';
import { resolveConfig } from '../config/resolve';
import type { Config } from '../config/schema';
import { catalogue } from '../errors';
import { createHooks, type TrainerHooks } from '../hooks';
import { packageRoot } from '../workspace/paths';
import { applyPlugins, openSession, type Session } from '../workspace/session';
import { detail, mark } from './timing';

const errors = catalogue('cli', {
  noConfig: (v: { command: string }) => ({
    what: `\`bv ${v.command}\` needs a config.`,
    fix: `bv ${v.command} --config configs/vit_mnist.ts${v.command === 'eval' ? ', or --workdir DIR for the config of a run' : ''}.`,
  }),
});

export interface Experiment {
  readonly session: Session;
  readonly config: Config;
  readonly hooks: TrainerHooks;
  /** Plugins that tap the hooks. */
  readonly applied: readonly string[];
  /** Of the config's file: names the default workdir. */
  readonly name: string;
  /** The config is the file's own: no argument string, no overrides. */
  readonly unchanged: boolean;
}

/** Loads and checks an experiment; nothing heavy starts before that. */
export async function openExperiment(
  command: string,
  spec: string | undefined,
  overrides: readonly Override[],
): Promise<Experiment> {
  if (spec === undefined) throw errors.noConfig({ command });
  const cwd = process.cwd();
  const source = findConfig(spec, [cwd, packageRoot]);
  const raw = await loadConfig(source);
  mark('config loaded');
  const session = openSession(cwd);
  mark('plugins loaded');
  for (const { plugin, importMs } of session.plugins) detail(`import of the plugin ${plugin.name}`, importMs);
  const plugins = session.plugins.map(({ plugin }) => plugin);
  const context = { registry: session.registry, plugins };
  const resolved = resolveConfig(raw, overrides, context);
  const hooks = createHooks();
  const applied = applyPlugins(session.plugins, resolved, hooks);
  // What a plugin makes of the config is checked like what a user wrote.
  const config = hooks.config.isUsed() ? resolveConfig(hooks.config.call(resolved), [], context) : resolved;
  mark('config checked');
  const unchanged = source.arg === '' && overrides.length === 0;
  return { session, config, hooks, applied, name: source.name, unchanged };
}

/** Where a run goes that isn't told: below the current folder, called after its config and the time. */
export function newWorkdir(name: string): string {
  const time = new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '');
  return path.resolve('workdir', `${name}-${time}`);
}
