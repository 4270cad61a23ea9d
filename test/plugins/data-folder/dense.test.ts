// Data sets of dense tasks from files as they are published, in small.

import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import type { HostArray } from '../../../core/array';
import type { Example } from '../../../core/extensions';
import { cocoPanoptic } from '../../../plugins/data-folder/coco-panoptic';
import { nyuDepth } from '../../../plugins/data-folder/nyu-depth';
import { runPp } from '../../support/pp';
import { expectPure } from '../../support/seekable';
import { temporaryFolder } from '../../support/temporary';

const data_dir = temporaryFolder();
const file = path.resolve(__dirname, '../../golden/nyu_depth.h5');
const valuesOf = (example: Example, key: string) => Array.from((example[key] as HostArray).data);

describe('coco/2017_panoptic', () => {
  const folder = path.join(data_dir, 'coco/2017_panoptic');
  const open = (split: string, data = data_dir) => cocoPanoptic({ split, data_dir: data }, '/');

  beforeAll(async () => {
    const ids = [100, 101, 102];
    for (const part of ['train2017', 'panoptic_train2017'])
      fs.mkdirSync(path.join(folder, part), { recursive: true });
    for (const id of ids) {
      const flat = {
        create: { width: 4, height: 2, channels: 3 as const, background: { r: 1, g: 2, b: id } },
      };
      await sharp(flat)
        .jpeg()
        .toFile(path.join(folder, `train2017/${id}.jpg`));
      await sharp(flat)
        .png()
        .toFile(path.join(folder, `panoptic_train2017/${id}.png`));
    }
    const annotations = ids.map((id) => {
      const segment = {
        id: 1 + 2 * 256 + id * 65536,
        category_id: 7,
        iscrowd: 0,
        area: 8,
        bbox: [1, 0, 2, 2],
      };
      return { image_id: id, file_name: `${id}.png`, segments_info: [segment] };
    });
    const images = ids.map((id) => ({ id, file_name: `${id}.jpg`, height: 2, width: 4 }));
    const lists = { categories: [{ id: 3 }, { id: 7 }], images, annotations };
    fs.writeFileSync(path.join(folder, 'panoptic_train2017.json'), JSON.stringify(lists));
  });

  test('images, masks and segments', async () => {
    const source = open('train');
    expect([source.size, open('train[2:]').size, open('train[:2]').size]).toEqual([3, 1, 2]);
    const example = await source.get(1);
    expect(example['image']).toBeInstanceOf(Uint8Array);
    const objects = example['panoptic_objects'] as Example;
    expect([valuesOf(objects, 'label'), valuesOf(objects, 'bbox')]).toEqual([[1], [0, 0.25, 1, 0.75]]);
    const { semantics, instances } = (await runPp('coco_panoptic', example)) as Record<string, HostArray>;
    expect([Array.from(semantics!.data), Array.from(instances!.data)]).toEqual([
      Array(8).fill(2),
      Array(8).fill(1),
    ]);
    await expectPure(() => open('train'));
  });

  test('says what there is, and what has to be where', () => {
    expect(() => open('val')).toThrow(/Did you mean "validation"|one of: train, validation/);
    expect(() => open('train', '/nowhere')).toThrow(/nowhere.*panoptic_train2017\.json/);
  });
});

/** What numpy makes of the depths, float16: see test/golden/make_nyu_depth.py. */
function depthInTfds(): number[] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- comes without types
  const { File } = require('jsfive') as { File: new (bytes: ArrayBuffer) => { get(key: string): { value: number[] } } }; // prettier-ignore
  const bytes = new Uint8Array(fs.readFileSync(file)).buffer;
  return new File(bytes).get('depth_in_tfds').value;
}

describe('nyu_depth_v2', () => {
  const open = (split: string, data = data_dir) => nyuDepth({ split, data_dir: data }, '/');

  beforeAll(() => {
    const folder = path.join(data_dir, 'nyu_depth_v2/val/official');
    fs.mkdirSync(folder, { recursive: true });
    for (const name of ['1.h5', '2.h5']) fs.copyFileSync(file, path.join(folder, name));
    fs.writeFileSync(path.join(folder, 'readme.txt'), '');
  });

  test('pictures with depth, as h5py wrote them and TFDS keeps them', async () => {
    expect([open('validation').size, open('validation[1:]').size]).toEqual([2, 1]);
    const example = await open('validation').get(0);
    expect((example['image'] as HostArray).shape).toEqual([2, 4, 3]);
    expect(valuesOf(example, 'image').slice(0, 6)).toEqual([0, 8, 16, 1, 9, 17]);
    expect(valuesOf(example, 'depth')).toEqual(depthInTfds());
    await expectPure(() => open('validation'));
  });

  test('says what there is, and what has to be where', async () => {
    expect(() => open('test')).toThrow(/one of: train, validation/);
    expect(() => open('train')).toThrow(/nyu_depth_v2\/train.*\n?.*nyudepthv2/s);
    const folder = path.join(data_dir, 'broken/nyu_depth_v2/train');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'a.h5'), 'nothing');
    await expect(open('train', path.join(data_dir, 'broken')).get(0)).rejects.toThrow(/can't read.*a\.h5/);
  });
});
