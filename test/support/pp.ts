// Preprocessing strings as functions, for tests.

import { createPipeline } from '../../core/call-string';
import { Container } from '../../core/container';
import { type Example, type ExampleRng, Registry } from '../../core/extensions';
import { type Plugin, registrarFor } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { exampleRng } from '../../plugins/input';
import pp from '../../plugins/pp';

/** What some plugins register. */
export function register(...plugins: readonly Plugin[]): { registry: Registry; container: Container } {
  const registry = new Registry();
  const container = Container.create();
  container.provide(tokens.registry, registry);
  for (const plugin of plugins) plugin.register?.(registrarFor(plugin, registry, container));
  return { registry, container };
}

const known = register(pp);

export async function runPp(
  text: string,
  example: Example,
  rng: ExampleRng = exampleRng(0, 0, 0),
): Promise<Example> {
  return createPipeline(text, known.registry, known.container, 'pp')(example, rng);
}

export const ppServices = known;
export const ppRegistry = known.registry;
