// Compiled programs on disk.

import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { TensorSpec } from '../../../core/runtime';
import { XlaRuntime } from '../../../plugins/xla';
import { parseFlags } from '../../../plugins/xla/jit';

let folder: string;
let runtime: XlaRuntime | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'compile-cache-'));
});
afterEach(async () => {
  await runtime?.dispose();
  runtime = undefined;
  rmSync(folder, { recursive: true });
});

const spec = new TensorSpec('float32', [2]);

/** What a fresh runtime says of the same program, and its result. */
async function run(devices = 1) {
  await runtime?.dispose();
  runtime = await XlaRuntime.create({ devices, compileCache: path.join(folder, 'cache') });
  const f = runtime.jit((x: tf.Tensor) => tf.mul(x, 3), { name: 'thrice' });
  const { cached } = f.compile(spec);
  return { cached, result: Array.from(f(tf.tensor([1, 2])).dataSync()) };
}

const files = () => readdirSync(path.join(folder, 'cache')).map((name) => path.join(folder, 'cache', name));

test('the second runtime does not compile', async () => {
  expect(await run()).toEqual({ cached: false, result: [3, 6] });
  expect(files()).toHaveLength(1);
  expect(await run()).toEqual({ cached: true, result: [3, 6] });
  expect(files()).toHaveLength(1);
});

test('another number of devices is another file', async () => {
  await run(1);
  expect((await run(2)).cached).toBe(false);
  expect(files()).toHaveLength(2);
  expect(await run(2)).toEqual({ cached: true, result: [3, 6] });
});

test.each([
  ['cut short', (file: string) => truncateSync(file, 100), 'checksum is wrong'],
  ['empty', (file: string) => truncateSync(file, 0), 'not a compiled program'],
  ['of something else', (file: string) => writeFileSync(file, 'hello'.repeat(100)), 'not a compiled program'],
  [
    'with one bit flipped',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 10]! ^= 1;
      writeFileSync(file, bytes);
    },
    'checksum is wrong',
  ],
])('a file that is %s is a warning, and is written anew', async (_name, damage, reason) => {
  await run();
  damage(files()[0]!);
  const spy = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  expect(await run()).toEqual({ cached: false, result: [3, 6] });
  expect(spy.mock.calls.map(([message, kind]) => [kind, message])).toEqual([
    ['CompileCacheWarning', expect.stringContaining(reason)],
  ]);
  spy.mockRestore();
  expect(await run()).toEqual({ cached: true, result: [3, 6] });
});

test('a folder that can not be written is a warning', async () => {
  writeFileSync(path.join(folder, 'cache'), 'a file, not a folder');
  const spy = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  expect(await run()).toEqual({ cached: false, result: [3, 6] });
  expect(spy.mock.calls.map(([, kind]) => kind)).toContain('CompileCacheWarning');
  spy.mockRestore();
});

test('flags', () => {
  expect(parseFlags(undefined)).toEqual({});
  expect(parseFlags('xla_a=true, --xla_b=3,xla_c=text,xla_d=0.5')).toEqual({
    xla_a: true,
    xla_b: 3,
    xla_c: 'text',
    xla_d: 0.5,
  });
  expect(() => parseFlags('xla_a')).toThrow('BV_XLA_FLAGS="xla_a" is not a list');
});
