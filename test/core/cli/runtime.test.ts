import * as fs from 'node:fs';
import * as path from 'node:path';
import { z } from 'zod';
import { openRuntime } from '../../../core/cli/runtime';
import { Container } from '../../../core/container';
import { UserError } from '../../../core/errors';
import { Registry } from '../../../core/extensions';
import { definePlugin, registrarFor } from '../../../core/plugin';
import type { Installer, Runtime, RuntimeOptions } from '../../../core/runtime';
import { packageRoot } from '../../../core/workspace/paths';
import type { Session } from '../../../core/workspace/session';
import type { WorkspaceConfig } from '../../../core/workspace/workspace';

const stamp = path.join(packageRoot, 'node_modules', '.cache', 'big-vision-ts', 'install-test-fake-failed');
const automatic = process.env['BV_NO_INSTALL'];

beforeEach(() => {
  delete process.env['BV_NO_INSTALL'];
  fs.rmSync(stamp, { force: true });
});
afterAll(() => {
  fs.rmSync(stamp, { force: true });
  if (automatic !== undefined) process.env['BV_NO_INSTALL'] = automatic;
});

interface Fakes {
  readonly xla?: (options: unknown, asked: RuntimeOptions) => Runtime;
  readonly installer?: Partial<Installer>;
  readonly runtime?: string;
}

/** A session with an xla that does as it is told, and a wasm that works. */
function session({ xla, installer, runtime }: Fakes): Session {
  const registry = new Registry();
  const container = Container.create();
  const plugin = definePlugin({
    name: 'fakes',
    version: '1.0.0',
    core: '*',
    doc: '',
    register({ register }) {
      const devices = z.strictObject({ devices: z.number().optional() });
      register('runtime', 'wasm', {
        doc: '',
        options: z.strictObject({}),
        create: () => async () => ({ name: 'wasm' }) as Runtime,
      });
      if (xla)
        register('runtime', 'xla', {
          doc: '',
          options: devices,
          create: (options) => async (asked) => xla(options, asked),
        });
      const whole: Installer = {
        runtime: 'xla',
        automatic: true,
        installed: () => undefined,
        install: async () => {},
        ...installer,
      };
      if (installer)
        register('installer', 'test-fake', { doc: '', options: z.strictObject({}), create: () => whole });
    },
  });
  plugin.register?.(registrarFor(plugin, registry, container));
  const config: WorkspaceConfig = { plugins: [], compile_cache: 'cache', runtime };
  return { workspace: { root: '/w', config }, plugins: [], failed: [], registry, container };
}

const working = () => ({ name: 'xla' }) as Runtime;
const absent = () => {
  throw new UserError('runtime/none', "XLA's CPU plugin isn't installed.", 'install it.');
};
const open = async (fakes: Fakes, more: { name?: string; devices?: number } = {}) => {
  const notes: string[] = [];
  const runtime = await openRuntime(session(fakes), { ...more, note: (text) => notes.push(text) });
  return { name: runtime.name, notes };
};

test('xla where it works, with the devices and the cache that were asked for', async () => {
  const seen: unknown[] = [];
  const xla = (...args: unknown[]) => {
    seen.push(...args);
    return working();
  };
  expect(await open({ xla }, { devices: 4 })).toEqual({ name: 'xla', notes: [] });
  expect(seen).toEqual([{ devices: 4 }, { mesh: undefined, compileCache: '/w/cache' }]);
});

test('otherwise the next one, with one line', async () => {
  const notes = ["XLA's CPU plugin isn't installed; running on wasm."];
  expect(await open({ xla: absent })).toEqual({ name: 'wasm', notes });
  expect(await open({})).toEqual({ name: 'wasm', notes: [] });
});

test('one that is asked for, and no other', async () => {
  expect(await open({ xla: working }, { name: 'wasm' })).toMatchObject({ name: 'wasm' });
  expect(await open({ xla: working, runtime: 'wasm' })).toMatchObject({ name: 'wasm' });
  await expect(open({ xla: absent }, { name: 'xla' })).rejects.toThrow("isn't installed");
  await expect(open({ xla: absent }, { name: 'wsam' })).rejects.toThrow('Did you mean "wasm"?');
  await expect(open({ xla: absent }, { name: 'wasm', devices: 2 })).rejects.toThrow('takes no --devices');
});

test('a bug of a runtime is not passed over', async () => {
  const xla = () => {
    throw new TypeError('undefined');
  };
  await expect(open({ xla })).rejects.toThrow(TypeError);
});

test('what is missing is fetched once, without being asked', async () => {
  let there = false;
  const install = async (note: (line: string) => void) => {
    note('fetching');
    there = true;
  };
  const installed = () => (there ? { file: 'f', version: '1' } : undefined);
  const fakes = { xla: () => (there ? working() : absent()), installer: { install, installed } };
  const { name, notes } = await open(fakes);
  expect({ name, last: notes.at(-1) }).toEqual({ name: 'xla', last: 'fetching' });
  expect(await open(fakes)).toEqual({ name: 'xla', notes: [] });
});

test('a failure to fetch is remembered: the next start goes on at once', async () => {
  const install = jest.fn(async () => {
    throw new UserError('runtime/no-network', 'There is no network.', 'connect.');
  });
  const fakes = { xla: absent, installer: { install } };
  const first = await open(fakes);
  expect(first).toMatchObject({ name: 'wasm' });
  expect(first.notes.at(-1)).toBe('There is no network; running on wasm.');
  expect(await open(fakes)).toEqual({
    name: 'wasm',
    notes: ["XLA's CPU plugin isn't installed; running on wasm."],
  });
  expect(install).toHaveBeenCalledTimes(1);
});

test.each([
  ['not automatic', { automatic: false }],
  ['of another runtime', { runtime: 'tensorflow' }],
])('%s: not fetched', async (_what, more) => {
  const install = jest.fn();
  await open({ xla: absent, installer: { install, ...more } });
  expect(install).not.toHaveBeenCalled();
});
