import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import type { HostArray } from '../../../core/array';
import type { UserError } from '../../../core/errors';
import type { DataSource } from '../../../core/extensions';
import { tokens } from '../../../core/train/run';
import { namedSource } from '../../../plugins/data-folder/named';
import { folderSource, parseSplit } from '../../../plugins/data-folder';
import { expectPure, expectSeekable } from '../../support/seekable';
import { temporaryFolder } from '../../support/temporary';
import { workspaceWith } from '../../support/workspace';

async function makeImages(root: string, classes: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, count] of Object.entries(classes)) {
    fs.mkdirSync(path.join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const data = Buffer.alloc(20 * (20 + i) * 3, (i * 40 + name.length * 17) % 256);
      const image = sharp(data, { raw: { width: 20, height: 20 + i, channels: 3 } });
      const bytes = await (i % 2 ? image.png() : image.jpeg()).toBuffer();
      fs.writeFileSync(path.join(root, name, `${i}.${i % 2 ? 'PNG' : 'jpeg'}`), bytes);
    }
  }
}

const labelsOf = async (source: DataSource) =>
  Promise.all(
    Array.from({ length: source.size }, async (_, i) => {
      const { label, filename } = (await source.get(i)) as { label: HostArray; filename: string };
      return [label.data[0], filename];
    }),
  );

let root: string;
beforeAll(async () => {
  root = temporaryFolder();
  await makeImages(path.join(root, 'train'), { cat: 3, dog: 10, Ant: 1 });
  fs.writeFileSync(path.join(root, 'train', 'cat', 'notes.txt'), 'not an image');
  fs.writeFileSync(path.join(root, 'train', 'README'), 'not a class');
});

function failure(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    return error as UserError;
  }
  throw new Error('no failure');
}

describe('folder', () => {
  it('has the images of sorted classes, each with its label', async () => {
    const source = folderSource({ path: path.join(root, 'train'), split: '' });
    expect([source.size, source.classes]).toEqual([14, ['Ant', 'cat', 'dog']]);
    expect((await labelsOf(source)).slice(0, 5)).toEqual([[0, 'Ant/0.jpeg'], [1, 'cat/0.jpeg'], [1, 'cat/1.PNG'], [1, 'cat/2.jpeg'], [2, 'dog/0.jpeg']]); // prettier-ignore
    const { image } = await source.get(1);
    expect(Buffer.compare(image as Uint8Array, fs.readFileSync(path.join(root, 'train/cat/0.jpeg')))).toBe(0);
  });

  it('takes a part of each class', async () => {
    const of = async (split: string) =>
      (await labelsOf(folderSource({ path: root, split }))).map(([, name]) => name);
    expect(await of('train[:60%]')).toEqual(['Ant/0.jpeg', 'cat/0.jpeg', 'cat/1.PNG', ...[0, 1, 2, 3, 4, 5].map((i) => `dog/${i}.${i % 2 ? 'PNG' : 'jpeg'}`)]); // prettier-ignore
    const [first, second] = [await of('train[:60%]'), await of('train[60%:]')];
    expect([...first, ...second].sort()).toEqual((await of('train')).sort());
    expect(await of('train[8:]')).toEqual(['dog/8.jpeg', 'dog/9.PNG']);
  });

  it('is pure', () => expectPure(() => folderSource({ path: root, split: 'train' })));

  it('explains what is missing', async () => {
    expect(failure(() => folderSource({ path: root, split: 'trian' })).message).toContain(
      'Did you mean "train"?',
    );
    expect(failure(() => folderSource({ path: root, split: 'train[1' })).code).toBe('split/unreadable');
    expect(failure(() => folderSource({ path: path.join(root, 'train/cat'), split: '' })).what).toContain('but 3 images'); // prettier-ignore
    const empty = temporaryFolder();
    await makeImages(empty, { a: 1, b: 0 });
    fs.writeFileSync(path.join(empty, 'b', 'x.txt'), '');
    const error = failure(() => folderSource({ path: empty, split: '' }));
    expect(error.code).toBe('folder/empty-class');
    expect(error.what).toMatch(/b has no images, only 1 other files\.$/);
  });
});

test.each([
  ['train', 'train', [0, 200]],
  ['', '', [0, 200]],
  [' test-dev ', 'test-dev', [0, 200]],
  ['train[:5%]', 'train', [0, 10]],
  ['val[-20:]', 'val', [180, 200]],
  ['val[1_00:]', 'val', [100, 200]],
  ['train[-2%:-1%]', 'train', [196, 198]],
  ['[:0.25%]', '', [0, 0]],
  ['[:0.75%]', '', [0, 2]],
  ['[500:]', '', [200, 200]],
])('the split "%s"', (text, name, part) => {
  const split = parseSplit(text);
  expect([split.name, split.slice(200)]).toEqual([name, part]);
});

test('examples of named data sets keep their ids in every part', async () => {
  const data = temporaryFolder();
  await makeImages(path.join(data, 'cifar10/train'), { a: 3, b: 3 });
  const ids = async (split: string) => {
    const source = namedSource('cifar10', { split, data_dir: data }, '/');
    const examples = await Promise.all(Array.from({ length: source.size }, (_, i) => source.get(i)));
    return examples.map(({ tfds_id }) => tfds_id);
  };
  const all = await ids('train');
  expect([...all].sort()).toEqual([0, 1, 2, 3, 4, 5].map((i) => `cifar10-train__${i}`));
  expect([...(await ids('train[:2]')), ...(await ids('train[2:]'))]).toEqual(all);
});

describe('training from a folder', () => {
  const pp =
    "decode_jpeg_and_inception_crop(8)|flip_lr|value_range(-1, 1)|onehot(3, key='label', key_result='labels')|keep('image', 'labels')";

  it('gives the same batches with and without workers', async () => {
    const pipeline = workspaceWith('').container.get(tokens.input);
    const found: string[][] = [];
    // Without a number of its own, decoding gets workers.
    for (const workers of [undefined, 0, 2]) {
      const data = { name: 'folder', path: root, split: 'train' };
      const input = await pipeline.train({ data, pp, batch_size: 5, workers, prefetch: 2, shuffle: true }, 3);
      expect(input.classes).toEqual(['Ant', 'cat', 'dog']);
      found.push(await expectSeekable(input, 4));
      await input.close();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  it('names a broken file', async () => {
    const broken = temporaryFolder();
    await makeImages(broken, { a: 4 });
    fs.writeFileSync(path.join(broken, 'a', '2.jpeg'), 'broken');
    const pipeline = workspaceWith('').container.get(tokens.input);
    for (const workers of [0, 1]) {
      const data = { name: 'folder', path: broken };
      const input = await pipeline.evaluate({
        data,
        pp: "decode|resize(8)|keep('image')",
        batch_size: 4,
        workers,
      });
      const stream = input.batches(0);
      const error = await stream.next().then(
        () => undefined,
        (reason: unknown) => reason as UserError,
      );
      expect(error!.what).toMatch(/^Example 2 of the data source "folder" \(a\/2\.jpeg\) fails in decode: decode can't read an image from 6 bytes/); // prettier-ignore
      expect(error!.fix).toContain('replace or remove the file');
      await stream.close();
      await input.close();
    }
  });
});
