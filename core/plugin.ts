// A plugin: a manifest and two verbs. `register` puts named implementations under the extension points; `apply` taps
// the trainer's hooks, and is called only in runs whose config has the plugin's key.

import type { z } from 'zod';
import type { Container, Token } from './container';
import type { ExtensionPoint, Implementation, Registry } from './extensions';
import type { TrainerHooks } from './hooks';

export interface PluginManifest {
  /** Lower case with dashes; also the key of its options in a config. */
  readonly name: string;
  readonly version: string;
  /** Range of core versions, as in package.json: `^0.1.0`. */
  readonly core: string;
  /** Plugins it needs, with their version ranges. */
  readonly needs?: Readonly<Record<string, string>>;
  /** One sentence for `bv list plugins`. */
  readonly doc: string;
}

/** Adds one implementation under its name. */
export interface Registrar {
  register<
    P extends ExtensionPoint,
    Schema extends z.ZodObject,
    const Needs extends readonly Token<unknown>[] = readonly [],
  >(
    point: P,
    name: string,
    implementation: Implementation<P, Schema, Needs>,
  ): void;
  /** Services for constructor injection, made when first asked for. */
  readonly container: Container;
}

export interface Plugin<Schema extends z.ZodType = z.ZodType> extends PluginManifest {
  register?(registrar: Registrar): void;
  /** The schema of the config key that has the plugin's name. Required by `apply`. */
  readonly options?: Schema;
  /** Taps the hooks. Tap under the plugin's own name, so that `bv explain` can tell who does what. */
  apply?(hooks: TrainerHooks, options: z.output<Schema>): void;
}

/** Types a plugin; the value of the default export of its `index.ts`. */
export function definePlugin<Schema extends z.ZodType>(plugin: Plugin<Schema>): Plugin<Schema> {
  return plugin;
}

export function registrarFor(plugin: PluginManifest, registry: Registry, container: Container): Registrar {
  return {
    container,
    register: (point, name, implementation) => {
      // A schema that would drop unknown keys (z.object) rejects them here: a typo must not be silent.
      const { options } = implementation;
      const strict = options.def.catchall === undefined ? options.strict() : options;
      registry.add({
        point,
        name,
        plugin: plugin.name,
        implementation: { ...implementation, options: strict } as unknown as Implementation<typeof point>,
      });
    },
  };
}
