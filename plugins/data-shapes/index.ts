// The data source `shapes`: made-up pictures with everything that tasks ask for, at no download.

import { z } from 'zod';
import { hostArray } from '../../core/array';
import type { DataSource } from '../../core/extensions';
import { labelFeatures } from '../../core/labels';
import { definePlugin } from '../../core/plugin';
import { exampleRng } from '../input';
import { panopticFeatures } from './panoptic';
import { describe, drawScene, paint, shapeNames, type Shape } from './scene';

const shapesOptions = z.strictObject({
  split: z.enum(['train', 'test']).default('train').describe('the two have no picture in common'),
  count: z.int().min(1).optional().describe('number of pictures; default: 10,000, or 1,000 for testing'),
  size: z.int().min(8).default(64).describe('side of the pictures in pixels'),
  most_shapes: z.int().min(1).max(8).default(3).describe('a picture has one to so many shapes'),
  perspective: z.boolean().default(false).describe('the nearer a shape the larger it is; otherwise any size'),
  seed: z.int().min(0).default(0).describe('other seeds make other pictures'),
});

export function shapes(options: z.output<typeof shapesOptions>): DataSource {
  const { split, size, most_shapes, perspective, seed } = options;
  return {
    size: options.count ?? { train: 10_000, test: 1_000 }[split],
    classes: shapeNames,
    get(index) {
      const rng = exampleRng(seed, split === 'train' ? 0 : 1, index);
      const scene = drawScene(rng, most_shapes, perspective);
      const picture = paint(scene, size);
      const { image, instances, semantics, depth } = picture;
      return {
        image: hostArray('uint8', [size, size, 3], image),
        ...labelFeatures(shapeNames.indexOf((scene[0] as Shape).name)),
        captions: { text: [describe(scene)] },
        instances: hostArray('int32', [size, size, 1], instances),
        semantics: hostArray('int32', [size, size, 1], semantics),
        depth: hostArray('float32', [size, size, 1], depth),
        ...panopticFeatures(picture, size),
      };
    },
  };
}

export default definePlugin({
  name: 'data-shapes',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { input: '^0.1.0' },
  doc: 'Made-up pictures of coloured shapes with captions, masks and depth.',

  register({ register }) {
    register('data', 'shapes', {
      doc: [
        'Coloured shapes on grey: image uint8 [size, size, 3]; captions/text: one caption, nearest shape first;',
        'label (also labels) int32: the kind of the nearest shape;',
        'instances and semantics int32 [size, size, 1]: shapes and kinds of shapes from 1, 0 for the background;',
        'depth float32 [size, size, 1]: metres, 1 to 9, and 10 for the background;',
        "panoptic_image and panoptic_objects: the same in COCO's form, with the background as the last label.",
        'A pure function of seed, split and index.',
      ].join(' '),
      options: shapesOptions,
      create: shapes,
    });
  },
});
