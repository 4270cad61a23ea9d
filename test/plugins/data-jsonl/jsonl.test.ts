// Examples in JSON lines, and parts of data sets.

import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { HostArray } from '../../../core/array';
import type { DataSource } from '../../../core/extensions';
import { openSession } from '../../../core/workspace/session';
import { temporaryFolder } from '../../support/temporary';

const session = openSession(path.resolve(__dirname, '../../..'));
const open = (name: string, options: object) =>
  Promise.resolve(session.registry.create(session.container, 'data', name, options, 'data') as DataSource);

async function folderOf(lines: readonly object[], file: string): Promise<string> {
  const folder = temporaryFolder();
  const target = path.join(folder, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return folder;
}

test('lines have texts, numbers, lists and files', async () => {
  const lines = [
    { image: 'a.bin', suffix: 'a cat', score: 0.5, boxes: [1, 2], tags: ['x', 'y'], gone: null },
    { image: 'b.bin', suffix: 'a dog', id: 'mine', yes: true },
    { image: 'c.bin', suffix: 'no file' },
  ];
  const folder = await folderOf(lines, 'all.jsonl');
  fs.writeFileSync(path.join(folder, 'a.bin'), 'AA');
  fs.writeFileSync(path.join(folder, 'b.bin'), 'BB');
  const options = { fname: path.join(folder, 'all.jsonl'), fopen_keys: { image: folder } };
  const source = await open('bv:jsonl', options);
  const { image, boxes, ...rest } = await source.get(0);
  expect(Buffer.from(image as Uint8Array).toString()).toBe('AA');
  expect(boxes).toEqual(new HostArray('int32', [2], Int32Array.of(1, 2)));
  expect(rest).toEqual({ id: '0', suffix: 'a cat', score: 0.5, tags: ['x', 'y'] });
  expect(await (await open('bv:jsonl', { ...options, start: 1, stop: 2 })).get(0)).toMatchObject({
    id: 'mine',
  });
  await expect(source.get(2)).rejects.toThrow(/"image" of example 2 is to be a file.*c\.bin/s);
});

test('a data set has splits, and masks as pixels', async () => {
  const line = { image: 'a.png', 'objects/mask': ['a.png'], 'objects/bbox': [[0, 0, 1, 1]] };
  const name = 'ref_coco_bv/refcoco_unc:1.4.0';
  const data_dir = await folderOf([line, line, line, line], `${name}/train.jsonl`);
  const image = sharp({ create: { width: 3, height: 2, channels: 3, background: '#fff' } });
  await image.png().toFile(path.join(data_dir, name, 'a.png'));
  const source = await open(name, { split: 'train[:50%] + train[-1:]', data_dir });
  expect(source.size).toBe(3);
  const { 'objects/mask': masks } = await source.get(2);
  expect((masks as HostArray[]).map(({ shape }) => shape)).toEqual([[2, 3, 3]]);
});

test('mistakes say what to do', async () => {
  const broken = await folderOf([], 'x.jsonl');
  fs.writeFileSync(path.join(broken, 'x.jsonl'), '{"a": 1}\n{"a": \n');
  await expect(async () => open('bv:jsonl', { fname: path.join(broken, 'x.jsonl') })).rejects.toThrow(
    /Line 2/,
  );
  await expect(async () => open('bv:jsonl', { fname: 'gs://longcap100/data.jsonl' })).rejects.toThrow(
    /fetch https:\/\/storage\.googleapis\.com\/longcap100\/data\.jsonl/,
  );
});
