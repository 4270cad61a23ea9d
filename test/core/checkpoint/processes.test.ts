// A checkpoint that three processes write together, and one that is killed before it is whole.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { hostArray } from '../../../core/array';
import { type ArrayPart, assemble } from '../../../core/checkpoint/parts';
import { CheckpointStore } from '../../../core/checkpoint/store';
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
  expect(await store.latest()).toMatchObject({ step: 1, arrays: expected(1), meta: { writers: count } });

  // One of them is killed while it writes the next: that one is never whole, and the older one stays.
  const [first, second, third] = (await all(folder, 2, 'b', ['impatient', 'impatient', 'dies'])) as [Ended, Ended, Ended]; // prettier-ignore
  expect(third).toMatchObject({ signal: 'SIGKILL', output: '' });
  expect([first.code, second.code]).toEqual([4, 4]);
  expect(first.output).toMatch(
    /after 1 seconds process(es)? (1, )?2 of 3 \(from 0\) (has|have) not written .* written before are intact\./,
  );
  expect(second.output).toContain("Process 0 hasn't completed the checkpoint");
  const notes: string[] = [];
  const again = new CheckpointStore(folder, (note) => notes.push(note), { index: 0, count, attempt: 'c' });
  expect(await again.latest()).toMatchObject({ step: 1, arrays: expected(1) });
  expect(notes).toEqual([]);
  // What the attempt left is gone, so that the next one of this step takes nothing from it.
  expect(await fs.readdir(folder)).toEqual(['000000001']);
  expect((await all(folder, 2, 'c')).map(({ output }) => output)).toEqual(Array(count).fill('committed'));
  expect(await store.latest()).toMatchObject({ step: 2, arrays: expected(2) });

  // Damage to any part is seen.
  const file = path.join(folder, '000000002', 'part-00001.safetensors');
  const bytes = await fs.readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await fs.writeFile(file, bytes);
  const reader = new CheckpointStore(folder, (note) => notes.push(note));
  expect(await reader.latest()).toBeUndefined();
  expect(notes).toEqual([expect.stringContaining('the checksum of part-00001.safetensors is wrong')]);
});

describe('putting parts together', () => {
  const part = (start: number[], values: number[], shape = [2, 4]): ArrayPart => ({
    name: 'w',
    array: hostArray('float32', [2, 2], values),
    shape,
    start,
  });
  const left = part([0, 0], [1, 2, 5, 6]);
  const right = part([0, 2], [3, 4, 7, 8]);

  test('in any order; replicas count once', () => {
    const whole = hostArray('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(assemble([right, left, right])).toEqual([['w', whole]]);
  });

  test('what is missing or does not fit is an error', () => {
    expect(() => assemble([left])).toThrow('w has 8 values, and there are 4');
    expect(() => assemble([left, part([0, 3], [1, 2, 3, 4])])).toThrow("the parts of w don't fit together");
  });
});
