import type { ConfigInput } from './schema';

/** What a config module exports: a function of the argument string, or the config itself. */
export type ConfigModule = ((arg: string) => ConfigInput | Promise<ConfigInput>) | ConfigInput;

/** Types a config module, so that an editor completes it. */
export function defineConfig<const Module extends ConfigModule>(module: Module): Module {
  return module;
}
