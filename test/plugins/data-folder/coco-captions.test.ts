// COCO captions from files as they are published, in small.

import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { cocoCaptions } from '../../../plugins/data-folder/coco-captions';
import { expectPure } from '../../support/seekable';
import { temporaryFolder } from '../../support/temporary';

const splits = ['train', 'test', 'train', 'val', 'restval', 'train'];
let data_dir: string;

beforeAll(async () => {
  data_dir = temporaryFolder();
  const images = splits.map((split, i) => ({
    split,
    filepath: split === 'train' ? 'train2014' : 'val2014',
    filename: `COCO_${i}.jpg`,
    cocoid: 100 + i,
    sentences: [{ raw: `A dog ${i}.` }, { raw: 'Ein Hund.' }],
  }));
  for (const { filepath, filename } of images) {
    const file = path.join(data_dir, 'coco_captions', filepath, filename);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await sharp({ create: { width: 8, height: 6, channels: 3, background: '#777' } })
      .jpeg()
      .toFile(file);
  }
  fs.writeFileSync(path.join(data_dir, 'coco_captions/dataset_coco.json'), JSON.stringify({ images }));
});

const open = (split: string, folder = data_dir) => cocoCaptions({ split, data_dir: folder }, '/');

test('images of a split with their captions', async () => {
  const source = open('train');
  expect(source.size).toBe(3);
  const { image, captions, filename, ...rest } = await source.get(1);
  expect(image).toBeInstanceOf(Uint8Array);
  expect([captions, filename, rest]).toEqual([
    { text: ['A dog 2.', 'Ein Hund.'] },
    'COCO_2.jpg',
    { 'image/id': 102 },
  ]);
  expect(Object.keys(await source.get(1, ['captions']))).not.toContain('image');
  expect(await source.get(1, ['image', 'filename'])).toEqual(await source.get(1));
  expect(open('train[1:]').size).toBe(2);
  await expectPure(() => open('train'));
});

test('says what there is, and what has to be where', () => {
  expect(() => open('tset')).toThrow(/Did you mean "test"/);
  expect(() => open('train', '/nowhere')).toThrow(/nowhere.*dataset_coco.json/);
});
