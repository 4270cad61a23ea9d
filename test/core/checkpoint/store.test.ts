import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { hostArray } from '../../../core/array';
import { NativeReader } from '../../../core/checkpoint/native';
import { CheckpointStore, findCheckpoint } from '../../../core/checkpoint/store';
import { UserError } from '../../../core/errors';
import { latestContent, newestContent } from '../../support/checkpoints';
import { temporaryFolder } from '../../support/temporary';

const arrays = (value: number) => [['params/w', hostArray('float32', [3], [value, value, value])] as const];
const never = async () => undefined;

function newStore() {
  const notes: string[] = [];
  const folder = path.join(temporaryFolder(), 'checkpoints');
  return { folder, notes, store: new CheckpointStore(folder, (note) => notes.push(note)) };
}

test('what was saved comes back, and "committed" is called when it is on disk', async () => {
  const { store, folder } = newStore();
  const committed: string[][] = [];
  store.save({ step: 7, keep: true, arrays: arrays(1), meta: { note: 'x' } }, async () => {
    committed.push(await fs.readdir(folder));
  });
  await store.finish();
  expect(committed).toEqual([['000000007']]);
  expect(await latestContent(store)).toMatchObject({ step: 7, arrays: arrays(1), meta: { note: 'x' } });
});

test('a newer checkpoint replaces those that were not to be kept', async () => {
  const { store, folder } = newStore();
  for (const [step, keep] of [
    [1, false],
    [2, true],
    [3, false],
    [4, false],
  ] as const) {
    store.save({ step, keep, arrays: arrays(step), meta: {} }, never);
  }
  await store.finish();
  expect(await fs.readdir(folder)).toEqual(['000000002', '000000004']);
});

describe('a damaged checkpoint is reported, and the one before it used', () => {
  const damages: [string, (checkpoint: string) => Promise<void>][] = [
    ['the checksum', async (checkpoint) => flipByte(path.join(checkpoint, 'arrays.safetensors'))],
    ['bytes instead of', async (checkpoint) => truncate(path.join(checkpoint, 'arrays.safetensors'), 20)],
    ['no such file', async (checkpoint) => fs.rm(path.join(checkpoint, 'arrays.safetensors'))],
    ['no such file', async (checkpoint) => fs.rm(path.join(checkpoint, 'manifest.json'))],
    ["isn't what was written", async (checkpoint) => truncate(path.join(checkpoint, 'manifest.json'), 30)],
  ];
  test.each(damages)('%s', async (problem, damage) => {
    const { store, folder, notes } = newStore();
    store.save({ step: 1, keep: true, arrays: arrays(1), meta: {} }, never);
    store.save({ step: 2, keep: true, arrays: arrays(2), meta: {} }, never);
    await store.finish();
    await damage(path.join(folder, '000000002'));
    expect(await latestContent(store)).toMatchObject({ step: 1 });
    expect(notes).toEqual([expect.stringContaining(problem)]);
    expect(notes[0]).toContain('000000002');
    await expect(NativeReader.open(path.join(folder, '000000002'))).rejects.toThrow(UserError);
  });
});

test('every torn manifest is detected', async () => {
  const { store, folder } = newStore();
  store.save({ step: 1, keep: true, arrays: arrays(1), meta: {} }, never);
  await store.finish();
  const manifest = path.join(folder, '000000001', 'manifest.json');
  const whole = await fs.readFile(manifest);
  for (let length = 0; length < whole.length; length++) {
    await fs.writeFile(manifest, whole.subarray(0, length));
    expect(await latestContent(store)).toBeUndefined();
  }
});

test('what a crash left half-written is removed and never read', async () => {
  const { store, folder } = newStore();
  store.save({ step: 1, keep: false, arrays: arrays(1), meta: {} }, never);
  await store.finish();
  await fs.mkdir(path.join(folder, '000000002.partial'));
  expect(await latestContent(store)).toMatchObject({ step: 1 });
  expect(await fs.readdir(folder)).toEqual(['000000001']);
});

test('a failed write is thrown by the next call and leaves the others intact', async () => {
  const { store, folder } = newStore();
  store.save({ step: 1, keep: false, arrays: arrays(1), meta: {} }, never);
  await store.finish();
  // A file in the place of the folder that the next write wants.
  await fs.writeFile(path.join(folder, 'blocked'), '');
  const blocked = new CheckpointStore(path.join(folder, 'blocked'), () => undefined);
  blocked.save({ step: 2, keep: false, arrays: arrays(2), meta: {} }, never);
  await expect(blocked.finish()).rejects.toMatchObject({ code: 'checkpoint/write', exitCode: 4 });
  expect(() => blocked.save({ step: 3, keep: false, arrays: arrays(3), meta: {} }, never)).toThrow(UserError);
  expect(await latestContent(store)).toMatchObject({ step: 1 });
});

test('a disk that fills up while a checkpoint is written costs that one alone', async () => {
  const { store, folder } = newStore();
  store.save({ step: 1, keep: false, arrays: arrays(1), meta: {} }, never);
  await store.finish();
  const handle = await fs.open(path.join(folder, '000000001', 'manifest.json'));
  const prototype = Object.getPrototypeOf(handle) as fs.FileHandle;
  await handle.close();
  const full = jest
    .spyOn(prototype, 'writeFile')
    .mockRejectedValue(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
  store.save({ step: 2, keep: false, arrays: arrays(2), meta: {} }, never);
  await expect(store.finish()).rejects.toThrow(/000000002: the disk is full/);
  full.mockRestore();
  expect(await fs.readdir(folder)).toEqual(['000000001']);
  expect(await latestContent(store)).toMatchObject({ step: 1 });
});

test('findCheckpoint takes a workdir, its folder of checkpoints, or one checkpoint', async () => {
  const { store, folder } = newStore();
  store.save({ step: 5, keep: true, arrays: arrays(5), meta: {} }, never);
  await store.finish();
  for (const location of [path.dirname(folder), folder, path.join(folder, '000000005')]) {
    expect(await newestContent(location)).toMatchObject({ step: 5 });
  }
  await expect(findCheckpoint(temporaryFolder(), () => undefined)).rejects.toThrow('no intact checkpoint');
});

async function flipByte(file: string): Promise<void> {
  const bytes = await fs.readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  await fs.writeFile(file, bytes);
}

async function truncate(file: string, length: number): Promise<void> {
  await fs.truncate(file, length);
}
