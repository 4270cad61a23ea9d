// Which runtime a command runs on: the one that is asked for, or the first that works here.

import fs from 'node:fs';
import path from 'node:path';
import { catalogue, UserError } from '../errors';
import type { Installer, Runtime, RuntimeOptions } from '../runtime';
import { keysOf, viewOf } from '../schema-view';
import { packageRoot } from '../workspace/paths';
import type { Session } from '../workspace/session';
import type { Experiment } from './experiment';
import { mark } from './timing';

/** Best first. `tensorflow` is only for those who ask for it. */
const preferred = ['xla', 'wasm', 'cpu'] as const;

export interface RuntimeRequest {
  /** From the command line or the config; none means the first that works. */
  readonly name?: string;
  /** Virtual devices of a CPU. */
  readonly devices?: number;
  /** Hardware that needn't be here, to compile for. */
  readonly topology?: string;
  readonly mesh?: RuntimeOptions['mesh'];
  readonly rules?: RuntimeOptions['rules'];
  readonly processes?: RuntimeOptions['processes'];
  readonly note: (text: string) => void;
}

const errors = catalogue('cli', {
  noRuntime: () => ({
    what: 'None of the plugins here brings a runtime.',
    fix: '`bv doctor` says which plugins there are, and which of them fail.',
  }),
  noDevices: (v: { runtime: string }) => ({
    what: `The ${v.runtime} runtime has one device: it takes no --devices.`,
    fix: 'leave out --devices, or use --runtime xla.',
  }),
});

/** The runtime of an experiment, where the command line overrides what its config asks for. */
export function openRuntimeOf(
  { session, config }: Pick<Experiment, 'session' | 'config'>,
  options: Pick<RuntimeRequest, 'devices' | 'topology' | 'processes'> & { readonly runtime?: string },
  note: RuntimeRequest['note'],
): Promise<Runtime> {
  const { runtime: name = config.runtime, devices, topology, processes } = options;
  return openRuntime(session, {
    name,
    devices,
    topology,
    mesh: config.mesh,
    rules: config.sharding_rules,
    processes,
    note,
  });
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
      // A mesh that doesn't fit is a mistake, and no reason to run on one device.
      if (error.code.startsWith('mesh/')) throw error;
      // On the next runtime each process would train by itself.
      if (request.processes && request.processes.count > 1) throw error;
      // One line: this is how most machines without a network look, and the run goes on.
      request.note(`${error.what.split('\n')[0]?.replace(/\.$/, '')}; running on ${next}.`);
    }
  }
  throw errors.noRuntime();
}

async function start(
  session: Session,
  name: string,
  { devices, topology, mesh, rules, processes, note }: RuntimeRequest,
): Promise<Runtime> {
  const { registry, container, workspace } = session;
  const { implementation } = registry.find('runtime', name);
  if (devices !== undefined && !keysOf(viewOf(implementation.options)).includes('devices')) {
    throw errors.noDevices({ runtime: name });
  }
  await installOnce(session, name, note);
  const options = devices === undefined ? {} : { devices };
  const { compile_cache } = workspace.config;
  const compileCache = compile_cache === false ? undefined : path.resolve(workspace.root, compile_cache);
  return registry.create(
    container,
    'runtime',
    name,
    options,
    'runtime',
  )({ mesh, rules, topology, processes, compileCache });
}

/**
 * Fetches what a runtime needs where npm's install scripts were held back. A machine without a network would wait for
 * it at every start, so that a failure is remembered for a day.
 */
async function installOnce(session: Session, runtime: string, note: (text: string) => void): Promise<void> {
  if (process.env['BV_NO_INSTALL']) return;
  for (const { name, installer } of installersOf(session, runtime)) {
    if (!installer.automatic || installer.installed()) continue;
    const failure = path.join(
      packageRoot,
      'node_modules',
      '.cache',
      'big-vision-ts',
      `install-${name}-failed`,
    );
    const failedAt = fs.statSync(failure, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - failedAt < 24 * 3600 * 1000) continue;
    note(`Fetching what the ${runtime} runtime needs, once (\`bv runtime install ${name}\`) ...`);
    try {
      await installer.install(note);
      fs.rmSync(failure, { force: true });
    } catch (error) {
      try {
        fs.mkdirSync(path.dirname(failure), { recursive: true });
        fs.writeFileSync(failure, String(error));
      } catch {
        // A read-only installation tries again next time.
      }
      throw error;
    }
  }
}

/** The installers for a runtime, by the plugins that register it. */
export function installersOf(
  { registry, container }: Session,
  runtime: string,
): { readonly name: string; readonly installer: Installer }[] {
  return registry
    .list('installer')
    .map(({ name }) => ({ name, installer: registry.create(container, 'installer', name, {}, 'installer') }))
    .filter(({ installer }) => installer.runtime === runtime);
}
