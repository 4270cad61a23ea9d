// Data sources of images in folders: by class as `folder`, and data sets by their names.

import path from 'node:path';
import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { cocoCaptions } from './coco-captions';
import { cocoPanoptic } from './coco-panoptic';
import { folderSource } from './folder';
import { namedFolders, namedOptions, namedSource } from './named';
import { nyuDepth } from './nyu-depth';

export { folderSource } from './folder';
export { dataFolder, parseSplit } from './split';

export default definePlugin({
  name: 'data-folder',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Images in folders, one for each class.',
  needs: { input: '^0.1.0', pp: '^0.1.0' },

  register({ register }) {
    register('data', 'folder', {
      doc: 'Images (JPEG, PNG, WebP) in one folder for each class: image is the bytes of the file, label (also as labels) int32 the place of its class among the sorted names, filename a text.',
      options: z.strictObject({
        path: z.string().describe('the folder, relative to the workspace'),
        split: z
          .string()
          .default('')
          .describe('a folder below it and, if not all, a part of each class: train, train[:90%], [90%:]'),
      }),
      inject: [tokens.root],
      create: ({ path: folder, split }, root) => folderSource({ path: path.resolve(root, folder), split }),
    });
    for (const name of Object.keys(namedFolders)) {
      register('data', name, {
        doc: `The data set of that name in TFDS, from folders: DATA/${namedFolders[name]}/SPLIT/CLASS/*.jpg.`,
        options: namedOptions,
        inject: [tokens.root],
        create: (options, root) => namedSource(name, options, root),
      });
    }
    register('data', 'coco_captions', {
      doc: [
        'Images of COCO with captions, in the splits train, val, test and restval of TFDS (Karpathy):',
        'image is the bytes of the file, captions/text five or more texts, image/id int32, filename a text.',
        'From DATA/coco_captions: dataset_coco.json, train2014/*.jpg, val2014/*.jpg.',
      ].join(' '),
      options: namedOptions,
      inject: [tokens.root],
      create: cocoCaptions,
    });
    register('data', 'coco/2017_panoptic', {
      doc: [
        'Images of COCO with panoptic segmentations, splits train and validation: image is the bytes of the file, image/id int32;',
        'panoptic_image uint8 [height, width, 3]; panoptic_objects: id, label, is_crowd, area int32 and bbox float32 (y, x, y, x).',
        'From DATA/coco/2017_panoptic: panoptic_train2017.json, panoptic_train2017/*.png, train2017/*.jpg, and val2017 likewise.',
      ].join(' '),
      options: namedOptions,
      inject: [tokens.root],
      create: cocoPanoptic,
    });
    register('data', 'nyu_depth_v2', {
      doc: [
        'Indoor pictures with depth, splits train and validation: image uint8 [480, 640, 3], depth float32 [480, 640] in metres.',
        'From DATA/nyu_depth_v2: train/*/*.h5 and val/*/*.h5, as in nyudepthv2.tar.gz.',
      ].join(' '),
      options: namedOptions,
      inject: [tokens.root],
      create: nyuDepth,
    });
  },
});
