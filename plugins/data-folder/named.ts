// Data sets by the names that TFDS gives them, from folders by class: DATA/imagenet2012/train/n01440764/*.JPEG.

import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { type HostArray, hostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { DataSource, Example } from '../../core/extensions';
import { folderSource } from './folder';
import { dataFolder, parseSplit, shuffledPart } from './split';

/** Name of the data source, and the folder of its images. */
export const namedFolders: Readonly<Record<string, string>> = {
  caltech101: 'caltech101',
  'cars196:2.1.0': 'cars196',
  cifar10: 'cifar10',
  cifar100: 'cifar100',
  'downsampled_imagenet/64x64': 'downsampled_imagenet/64x64',
  dtd: 'dtd',
  food101: 'food101',
  imagenet2012: 'imagenet2012',
  imagenet2012_real: 'imagenet2012',
  imagenet21k: 'imagenet21k',
  imagenet_a: 'imagenet_a',
  imagenet_r: 'imagenet_r',
  imagenet_v2: 'imagenet_v2',
  imagenette: 'imagenette',
  oxford_flowers102: 'oxford_flowers102',
  oxford_iiit_pet: 'oxford_iiit_pet',
  sun397: 'sun397',
  uc_merced: 'uc_merced',
};

export const namedOptions = z.strictObject({
  split: z
    .string()
    .describe('a folder of the data set and, if not all, a part of it: train, train[:99%], full[51_200:]'),
  data_dir: z
    .string()
    .optional()
    .describe(
      'the folder of all data sets, relative to the workspace; default: the environment BV_DATA_DIR, or data',
    ),
});

const errors = catalogue('folder', {
  unavailable: (v: { name: string; folder: string }) => ({
    what: `The data set "${v.name}" isn't here: there is no folder ${v.folder}.`,
    fix: 'put its images there, in one folder for each class, or set BV_DATA_DIR or the option data_dir to the folder of your data sets.',
  }),
  noReal: (v: { file: string }) => ({
    what: `The data set "imagenet2012_real" needs the ReaL labels in ${v.file}, which isn't there or isn't JSON.`,
    fix: 'put real.json of github.com/google-research/reassessed-imagenet there.',
  }),
  noNumber: (v: { filename: string }) => ({
    what: `The image ${v.filename} has no ReaL labels: they are found by the number in names such as ILSVRC2012_val_00000001.JPEG.`,
    fix: 'keep the names that the images of the validation set came with.',
  }),
});

/**
 * A part is one of the whole data set in a fixed random order, as in TFDS (whose order is another), and not one of each
 * class, as with the data source "folder".
 */
export function namedSource(
  name: string,
  { split: text, data_dir }: z.output<typeof namedOptions>,
  root: string,
): DataSource {
  const data = dataFolder(root, data_dir);
  const { name: split, slice } = parseSplit(text);
  const folder = path.join(data, namedFolders[name] as string, split);
  if (!fs.existsSync(folder)) throw errors.unavailable({ name, folder });
  const whole = folderSource({ path: folder, split: '' });
  const { size, placeOf } = shuffledPart(whole.size, slice);
  const part = {
    ...whole,
    size,
    async get(index: number) {
      const place = placeOf(index);
      // A name for life, as TFDS has them: random numbers of predictions are drawn from it.
      return { ...(await whole.get(place)), tfds_id: `${name}-${split}__${place}` };
    },
  };
  return name === 'imagenet2012_real' ? withReal(part, path.join(data, name, 'real.json')) : part;
}

/** Adds the labels of "Are we done with ImageNet?" (arXiv:2006.07159): any number of classes for each image. */
function withReal(source: DataSource, file: string): DataSource {
  const labels = readReal(file);
  return {
    ...source,
    async get(index) {
      const { label, labels: _, ...example } = (await source.get(index)) as Example & { label: HostArray };
      const filename = String(example['filename']);
      const number = /_(\d{8})\.\w+$/.exec(filename)?.[1];
      const real = labels[Number(number) - 1];
      if (!real) throw errors.noNumber({ filename });
      const features = { original_label: label, real_label: hostArray('int32', [real.length], real) };
      return { ...example, ...features };
    },
  };
}

function readReal(file: string): readonly (readonly number[])[] {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as number[][];
  } catch {
    throw errors.noReal({ file });
  }
}
