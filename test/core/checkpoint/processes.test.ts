// A checkpoint that three processes write together, and one that is killed before it is whole.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { bytesOf, hostArray } from '../../../core/array';
import { blocksOf } from '../../../core/blocks';
import { NativeReader } from '../../../core/checkpoint/native';
import type { ArrayPart } from '../../../core/checkpoint/parts';
import { CheckpointStore } from '../../../core/checkpoint/store';
import { alone } from '../../../core/processes/group';
import { latestContent } from '../../support/checkpoints';
import { temporaryFolder } from '../../support/temporary';

const root = path.join(__dirname, '..', '..', '..');
const count = 3;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

function writer(folder: string, step: number, index: number, attempt: string, how = ''): Promise<Ended> {
  const script = path.join(root, 'test', 'fixtures', 'checkpoint-writer.ts');
  const register = path.join(root, 'core', 'register.js');
  const args = ['--require', register, script, folder, String(step), String(index), String(count), attempt];
  const child = spawn(process.execPath, [...args, how], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
}

const all = (folder: string, step: number, attempt: string, how: readonly string[] = []) =>
  Promise.all(Array.from({ length: count }, (_, i) => writer(folder, step, i, attempt, how[i])));

const expected = (step: number) => [
  [
    'params/w',
    hostArray(
      'float32',
      [6, 3],
      Array.from({ length: 18 }, (_, i) => step * 1000 + i),
    ),
  ],
  ['step', hostArray('int32', [], [step])],
];

test('each writes its parts, and any number of processes reads them', async () => {
  const folder = path.join(temporaryFolder(), 'checkpoints');
  const ended = await all(folder, 1, 'a');
  expect(ended).toEqual(Array(count).fill({ code: 0, signal: null, output: 'committed' }));
  expect(await fs.readdir(folder)).toEqual(['000000001']);
  const store = new CheckpointStore(folder, () => undefined);
  expect(await latestContent(store)).toMatchObject({
    step: 1,
    arrays: expected(1),
    meta: { writers: count },
  });

  // One of them is killed while it writes the next: that one is never whole, and the older one stays.
  const [first, second, third] = (await all(folder, 2, 'b', ['impatient', 'impatient', 'dies'])) as [Ended, Ended, Ended]; // prettier-ignore
  expect(third).toMatchObject({ signal: 'SIGKILL', output: '' });
  expect([first.code, second.code]).toEqual([4, 4]);
  expect(first.output).toMatch(
    /after 1 seconds process(es)? (1, )?2 of 3 \(from 0\) (has|have) not written .* written before are intact\./,
  );
  expect(second.output).toContain("Process 0 hasn't completed the checkpoint");
  const notes: string[] = [];
  const again = new CheckpointStore(folder, (note) => notes.push(note), {
    ...alone,
    index: 0,
    count,
    attempt: 'c',
  });
  expect(await latestContent(again)).toMatchObject({ step: 1, arrays: expected(1) });
  expect(notes).toEqual([]);
  // What the attempt left is gone, so that the next one of this step takes nothing from it.
  expect(await fs.readdir(folder)).toEqual(['000000001']);
  expect((await all(folder, 2, 'c')).map(({ output }) => output)).toEqual(Array(count).fill('committed'));
  expect(await latestContent(store)).toMatchObject({ step: 2, arrays: expected(2) });

  // Damage to any part is seen.
  const file = path.join(folder, '000000002', 'part-00001.safetensors');
  await damage(file);
  const reader = new CheckpointStore(folder, (note) => notes.push(note));
  expect(await latestContent(reader)).toBeUndefined();
  expect(notes).toEqual([expect.stringContaining('the checksum of part-00001.safetensors is wrong')]);
});

describe('blocks of what three processes wrote', () => {
  const [rows, columns] = [96, 8192];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const whole = hostArray('float32', [rows, columns], values);
  const other = hostArray('int32', [5], [1, 2, 3, 4, 5]);
  const width = 4;

  /** Three processes write blocks of rows; one of them also another array. */
  async function written(
    change: (part: ArrayPart) => ArrayPart | undefined = (part) => part,
  ): Promise<string> {
    const folder = path.join(temporaryFolder(), 'checkpoints');
    const stores = Array.from({ length: count }, (_, index) => {
      const store = new CheckpointStore(folder, () => undefined, { ...alone, index, count, attempt: 'a' });
      const start = [(rows / count) * index, 0];
      const [block] = blocksOf(whole, [{ start, block: [rows / count, columns] }]);
      const parts: (ArrayPart | undefined)[] = [change({ name: 'params/w', ...block! })];
      if (index === 1) parts.push({ name: 'params/b', array: other, shape: [5], start: [0] });
      const arrays = parts.filter((part) => part !== undefined);
      store.save({ step: 1, keep: true, arrays, meta: {} }, async () => undefined);
      return store;
    });
    await Promise.all(stores.map((store) => store.finish()));
    return path.join(folder, '000000001');
  }

  /** How many bytes were read. */
  async function counted<T>(work: () => Promise<T>): Promise<[bytes: number, result: T]> {
    const handle = await fs.open(__filename);
    const spy = jest.spyOn(Object.getPrototypeOf(handle) as fs.FileHandle, 'read');
    try {
      const result = await work();
      const answers = await Promise.all(
        spy.mock.results.map(({ value }) => value as Promise<{ bytesRead: number }>),
      );
      return [answers.reduce((sum, { bytesRead }) => sum + bytesRead, 0), result];
    } finally {
      spy.mockRestore();
      await handle.close();
    }
  }

  test.each([
    ['as many readers', (index: number) => ({ start: [32 * index, 0], block: [32, columns] }), 1],
    ['other rows', (index: number) => ({ start: [20 + 12 * index, 0], block: [48, columns] }), 1],
    ['columns', (index: number) => ({ start: [0, 2048 * index], block: [rows, 4096] }), 1],
    // Runs of 8 KiB: what lies between them is read too.
    ['few columns', (index: number) => ({ start: [0, 2048 * index], block: [rows, 2048] }), 4],
    ['one row', (index: number) => ({ start: [33 * index, 7], block: [1, 100] }), 1],
  ])('%s', async (_, extentOf, times) => {
    const folder = await written();
    for (let index = 0; index < 3; index++) {
      const reader = await NativeReader.open(folder);
      const extent = extentOf(index);
      const [bytes, [block]] = await counted(() => reader.readBlocks('params/w', [extent]));
      await reader.close();
      const [expected] = blocksOf(whole, [extent]);
      expect(block).toMatchObject({
        start: extent.start,
        shape: [rows, columns],
        array: { shape: extent.block },
      });
      expect(Buffer.compare(bytesOf(block!.array), bytesOf(expected!.array))).toBe(0);
      expect(bytes).toBe(extent.block.reduce((product, size) => product * size, width) * times);
    }
  });

  test('each reader checks other files', async () => {
    const folder = await written();
    const { size } = await fs.stat(path.join(folder, 'part-00000.safetensors'));
    for (const [readers, files] of [
      [1, 3],
      [3, 1],
    ] as const) {
      // prettier-ignore
      const [bytes, reader] = await counted(() => NativeReader.open(folder, { index: 0, count: readers }));
      await reader.close();
      // Beside the files, their headers.
      expect(Math.floor(bytes / size)).toBe(files);
    }
    await damage(path.join(folder, 'part-00001.safetensors'));
    const open = (index: number) => NativeReader.open(folder, { index, count: 3 });
    await (await open(0)).close();
    await expect(open(1)).rejects.toThrow('the checksum of part-00001.safetensors is wrong');
  });

  test('what one process finds damaged is damaged for all', async () => {
    const folder = path.dirname(await written());
    await damage(path.join(folder, '000000001', 'part-00001.safetensors'));
    const votes: boolean[] = [];
    const every = async (_what: string, value: boolean) => {
      votes.push(value);
      while (votes.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      return !votes.includes(false);
    };
    const notes: string[][] = [[], [], []];
    const found = await Promise.all(
      notes.map((own, index) => {
        const process = { ...alone, index, count: 3, attempt: 'b', every };
        return new CheckpointStore(folder, (note) => own.push(note), process).latest();
      }),
    );
    expect(found).toEqual([undefined, undefined, undefined]);
    expect(notes[0]).toEqual([
      expect.stringContaining('000000001 is damaged, as another process has found.'),
    ]);
    expect(notes[1]).toEqual([expect.stringContaining('the checksum of part-00001.safetensors is wrong')]);
  });

  test('what is missing or does not fit is seen before anything is read', async () => {
    const first = ({ start }: ArrayPart) => start[0] === 0;
    const missing = await written((part) => (first(part) ? undefined : part));
    await expect(NativeReader.open(missing)).rejects.toThrow(
      'params/w has 786432 values, and there are 524288',
    );
    const outside = await written((part) => (first(part) ? { ...part, start: [80, 0] } : part));
    await expect(NativeReader.open(outside)).rejects.toThrow("the parts of params/w don't fit together");
  });
});

async function damage(file: string): Promise<void> {
  const bytes = await fs.readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await fs.writeFile(file, bytes);
}
