// What only shows in a process of its own: loading what isn't a plugin, and how the process ends.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '../../../../plugins/xla/pjrt';
import { describeWithPlugin, moduleOf, pluginPath } from './support';

const root = path.resolve(__dirname, '../../../..');

/** Runs TypeScript's output in a fresh process, with `Client` and `plugin` defined. */
function runInProcess(script: string) {
  const prelude = `
    require('${root}/core/register');
    const { Client } = require('${root}/plugins/xla/pjrt/index.ts');
    const plugin = ${JSON.stringify(pluginPath())};`;
  return spawnSync(process.execPath, ['-e', prelude + script], { encoding: 'utf8' });
}

test('what is not a library is an error with a fix', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bv-plugin-'));
  const file = path.join(folder, 'plugin.so');
  writeFileSync(file, 'text');
  const load = () => Client.create(file);
  expect(load).toThrow(expect.objectContaining({ code: 'runtime/plugin-not-loadable' }));
  expect(load).toThrow(/plugin.so.*\nTry: /);
  rmSync(folder, { recursive: true });
});

describeWithPlugin('a process', () => {
  test('ends well and quietly after loading a plugin', () => {
    const { status, signal, stderr } = runInProcess(`Client.create(plugin, { cpuDeviceCount: 2 });`);
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  });

  const type = 'tensor<1024x1024xf32>';
  const products = Array.from(
    { length: 40 },
    (_, index) =>
      `%${index + 1} = stablehlo.dot_general ${index === 0 ? '%a' : `%${index}`}, %a, contracting_dims = [1] x [0] : (${type}, ${type}) -> ${type}`,
  );
  const longProgram = moduleOf(`%a: ${type}`, [...products, `return %40 : ${type}`].join('\n'), type);

  // A destructor that XLA's threads register while the process already ends: it must not run either.
  const registerLate = `
    process.on('exit', () => {
      const libc = require('koffi').load(null);
      const abort = libc.func('dlsym', 'void*', ['void*', 'str'])(null, 'abort');
      libc.func('on_exit', 'int', ['void*', 'void*'])(abort, null);
    });`;

  test.each([
    ['exit', 'setTimeout(() => process.exit(75), 5);', 75],
    ['exit while a result is awaited', 'b.toHost(); setTimeout(() => process.exit(75), 5);', 75],
    ['exit with destructors that are registered late', `${registerLate} process.exit(75);`, 75],
    ['an error', `throw new Error('failed');`, 1],
    ['nothing left to do', 'process.exitCode = 4;', 4],
  ])('ends with its own exit code while a program runs: %s', (_, ending, code) => {
    const { status, signal } = runInProcess(`
      const client = Client.create(plugin, { cpuDeviceCount: 1 });
      const a = client.bufferFromHost(new Float32Array(1 << 20), 'f32', [1024, 1024]);
      const [[b]] = client.compile(${JSON.stringify(longProgram)}).execute([[a]]);
      ${ending}`);
    expect({ status, signal }).toEqual({ status: code, signal: null });
  });
});
