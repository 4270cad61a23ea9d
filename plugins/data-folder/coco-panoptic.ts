// COCO's images with panoptic segmentations (arXiv:1801.00868), in the files that they are published in.

import fs from 'node:fs';
import path from 'node:path';
import { hostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { DataSource } from '../../core/extensions';
import { decodeImage } from '../pp';
import { dataFolder, parseSplit, shuffledPart, unknownSplit } from './split';

const years: Readonly<Record<string, string>> = { train: 'train2017', validation: 'val2017' };

const errors = catalogue('coco-panoptic', {
  unavailable: (v: { file: string; problem: string }) => ({
    what: `The data set "coco/2017_panoptic" can't read ${v.file}: ${v.problem}.`,
    fix: "put COCO's panoptic_train2017.json and panoptic_val2017.json there, beside the folders of the same names with masks, and train2017 and val2017 with images; or set BV_DATA_DIR or the option data_dir to the folder of your data sets.",
  }),
  split: unknownSplit('coco/2017_panoptic'),
});

/** What is read of the JSON files. */
interface Listed {
  readonly categories: readonly { readonly id: number }[];
  readonly images: readonly {
    readonly id: number;
    readonly file_name: string;
    readonly height: number;
    readonly width: number;
  }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly file_name: string;
    readonly segments_info: readonly {
      readonly id: number;
      readonly category_id: number;
      readonly iscrowd: number;
      readonly area: number;
      readonly bbox: readonly [x: number, y: number, width: number, height: number];
    }[];
  }[];
}

export function cocoPanoptic(
  { split: text, data_dir }: { split: string; data_dir?: string },
  root: string,
): DataSource {
  const folder = path.join(dataFolder(root, data_dir), 'coco/2017_panoptic');
  const { name: split, slice } = parseSplit(text);
  const year = years[split];
  if (!year) throw errors.split({ split, known: Object.keys(years) });
  const { categories, images, annotations } = readList(path.join(folder, `panoptic_${year}.json`));
  const places = new Map(categories.map(({ id }, place) => [id, place]));
  const byId = new Map(images.map((image) => [image.id, image]));
  const { size, placeOf } = shuffledPart(annotations.length, slice);
  const read = async (...names: string[]) => {
    const bytes = await fs.promises.readFile(path.join(folder, ...names));
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  };
  return {
    size,
    async get(index) {
      const { image_id, file_name, segments_info } = annotations[placeOf(index)]!;
      const image = byId.get(image_id)!;
      const mask = await decodeImage(await read(`panoptic_${year}`, file_name), {
        channels: 3,
        op: 'coco/2017_panoptic',
      });
      const ints = (of: (segment: (typeof segments_info)[number]) => number) =>
        hostArray('int32', [segments_info.length], segments_info.map(of));
      const boxes = segments_info.flatMap(({ bbox: [x, y, width, height] }) => [
        y / image.height,
        x / image.width,
        (y + height) / image.height,
        (x + width) / image.width,
      ]);
      return {
        image: await read(year, image.file_name),
        'image/id': image_id,
        'image/filename': image.file_name,
        panoptic_image: mask,
        panoptic_objects: {
          id: ints(({ id }) => id),
          label: ints(({ category_id }) => places.get(category_id)!),
          is_crowd: ints(({ iscrowd }) => iscrowd),
          area: ints(({ area }) => area),
          bbox: hostArray('float32', [segments_info.length, 4], boxes),
        },
      };
    },
  };
}

function readList(file: string): Listed {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Listed;
  } catch (error) {
    throw errors.unavailable({ file, problem: (error as Error).message });
  }
}
