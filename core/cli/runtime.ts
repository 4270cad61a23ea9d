// Which runtime a command runs on: the one that is asked for, or the first that works here.

import path from 'node:path';
import { UserError } from '../errors';
import type { Installer, Runtime, RuntimeOptions } from '../runtime';
import type { Session } from '../workspace/session';
import { mark } from './timing';

/** Best first. `tensorflow` is only for those who ask for it. */
const preferred = ['xla', 'wasm', 'cpu'] as const;

export interface RuntimeRequest {
  /** From the command line or the config; none means the first that works. */
  readonly name?: string;
  /** Virtual devices of a CPU. */
  readonly devices?: number;
  readonly mesh?: RuntimeOptions['mesh'];
  readonly note: (text: string) => void;
}

export async function openRuntime(session: Session, request: RuntimeRequest): Promise<Runtime> {
  const { registry, workspace } = session;
  const asked = request.name ?? workspace.config.runtime;
  if (asked !== undefined) registry.find('runtime', asked, 'runtime');
  const names = asked !== undefined ? [asked] : preferred.filter((name) => registry.has('runtime', name));
  for (const [i, name] of names.entries()) {
    try {
      const runtime = await start(session, name, request);
      mark(`runtime ${name} started`);
      return runtime;
    } catch (error) {
      const next = names[i + 1];
      if (!(error instanceof UserError) || next === undefined) throw error;
      request.note(
        `The ${name} runtime can't be used here (${error.what.replace(/\.$/, '')}); running on ${next}.`,
      );
    }
  }
  throw new Error('No plugin registers a runtime');
}

async function start(
  session: Session,
  name: string,
  { devices, mesh, note }: RuntimeRequest,
): Promise<Runtime> {
  const { registry, container, workspace } = session;
  for (const installer of installersOf(session, name)) {
    if (!installer.automatic || installer.installed()) continue;
    note(`Fetching what the ${name} runtime needs (once) ...`);
    await installer.install(note);
  }
  const options = devices === undefined ? {} : { devices };
  const { compile_cache } = workspace.config;
  const compileCache = compile_cache === false ? undefined : path.resolve(workspace.root, compile_cache);
  return registry.create(container, 'runtime', name, options, 'runtime')({ mesh, compileCache });
}

/** The installers for a runtime, by the plugins that register it. */
export function installersOf({ registry, container }: Session, runtime: string): Installer[] {
  return registry
    .list('installer')
    .map(({ name }) => registry.create(container, 'installer', name, {}, 'installer'))
    .filter((installer) => installer.runtime === runtime);
}
