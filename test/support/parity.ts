// Runs a case of test/golden as `bv parity` does, with some plugins alone.

import { join } from 'node:path';
import { Container } from '../../core/container';
import { Registry } from '../../core/extensions';
import { parityServices, runCase } from '../../core/parity';
import { type Plugin, registrarFor } from '../../core/plugin';
import type { Runtime } from '../../core/runtime';
import { tokens } from '../../core/train/run';
import { goldenRoot } from './golden';

/** Fails with the case's own reason. */
export async function expectParity(
  folder: string,
  runtime: Runtime,
  ...plugins: readonly Plugin[]
): Promise<void> {
  const registry = new Registry();
  const container = Container.create();
  container.provide(tokens.registry, registry);
  for (const plugin of plugins) plugin.register?.(registrarFor(plugin, registry, container));
  const services = parityServices(runtime, { registry, container });
  expect(await runCase(join(goldenRoot, folder), services)).toMatchObject({
    passed: true,
    reason: undefined,
  });
}
