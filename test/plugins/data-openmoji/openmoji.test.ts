import fs from 'node:fs';
import path from 'node:path';
import { hostArray, type HostArray } from '../../../core/array';
import { tokens } from '../../../core/train/run';
import dataOpenmoji, { openmoji } from '../../../plugins/data-openmoji';
import { isTest, openmojiFolder, readEmojis } from '../../../plugins/data-openmoji/catalogue';
import { readPictures } from '../../../plugins/data-openmoji/pictures';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { register } from '../../support/pp';
import { expectPure, expectSeekable } from '../../support/seekable';
import { temporaryFolder } from '../../support/temporary';

const open = () => openmoji({ split: 'test', skintones: false, size: 16 });

test('the splits are fixed, have nothing in common, and keep skin tones together', () => {
  const emojis = readEmojis();
  const plain = emojis.filter(({ base, hexcode }) => base === hexcode);
  const [test, train] = [emojis.filter(isTest), emojis.filter((emoji) => !isTest(emoji))];
  expect([train.length, test.length, plain.length, plain.filter(isTest).length]).toEqual([
    3881, 605, 2456, 355,
  ]);
  const ofTrain = new Set(train.map(({ base }) => base));
  expect(test.filter(({ base }) => ofTrain.has(base))).toEqual([]);
  expect(test.filter(({ group }) => !train.some((emoji) => emoji.group === group))).toEqual([]);
});

test('an example: picture, captions, group', async () => {
  const source = await open();
  const { image, captions, texts, terms, label, group, hexcode } = (await source.get(0)) as Record<
    string,
    unknown
  >;
  expect([(image as HostArray).dtype, (image as HostArray).shape]).toEqual(['uint8', [16, 16, 3]]);
  expect({ captions, group, hexcode }).toEqual({
    hexcode: '1F643',
    group: 'smileys emotion',
    captions: {
      text: ['upside-down face', 'upside-down face, face, hehe, smile, upside-down, turn'],
    },
  });
  expect(texts).toEqual([...(captions as { text: string[] }).text, group]);
  expect(terms).toEqual(['upside-down face', 'face', 'hehe', 'smile', 'upside-down', 'turn']);
  expect(source.classes).toHaveLength(11);
  expect(label).toEqual(hostArray('int32', [], [source.classes!.indexOf('smileys emotion')]));
  // A yellow face on white.
  const pixels = Array.from({ length: 256 }, (_, i) => [
    ...(image as HostArray).data.slice(i * 3, i * 3 + 3),
  ]);
  expect(pixels[0]).toEqual([255, 255, 255]);
  expect(
    pixels.filter(([red, green, blue]) => red! > 200 && green! > 150 && blue! < 120).length,
  ).toBeGreaterThan(50);
});

test('is pure', () => expectPure(() => open()));

test('can be entered anywhere', async () => {
  const { container } = register(input, pp, dataOpenmoji);
  const opened = await container.get(tokens.input).train(
    {
      data: { name: 'openmoji', split: 'test', size: 16 },
      pp: 'flip_lr|keep("image", "label")',
      batch_size: 64,
      workers: 0,
      prefetch: 1,
      shuffle: true,
    },
    0,
  );
  await expectSeekable(opened, 13);
  await opened.close();
});

test('draws anew where the packed file is broken or cannot be written', async () => {
  const folder = temporaryFolder();
  const read = (cache: string) => readPictures(openmojiFolder(), ['1F600', '1F34E'], 8, cache);
  const drawn = await read(folder);
  const [file] = fs.readdirSync(folder) as [string];
  expect(Buffer.compare(await read(folder), drawn)).toBe(0);
  fs.truncateSync(path.join(folder, file), 7);
  expect(Buffer.compare(await read(folder), drawn)).toBe(0);
  expect(Buffer.compare(await read(path.join(folder, file, 'no-folder')), drawn)).toBe(0);
});
