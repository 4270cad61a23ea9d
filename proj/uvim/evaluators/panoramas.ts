// Segments of an image: from a model's classes and instances, and from the ground truth.

import { type HostArray } from '../../../core/array';
import { catalogue } from '../../../core/errors';
import type { Example, Feature } from '../../../core/extensions';
import { isDict } from '../../../core/tree';
import type { Category } from './categories';
import { nearestPixels } from './nearest';
import type { Panorama, Segment } from './pq';

const errors = catalogue('panoptic', {
  unknownClass: (v: { found: number; classes: number }) => ({
    what: `The class ${v.found} is predicted or true, and the number of categories is ${v.classes} (class 0 is nothing).`,
    fix: 'give the evaluator all categories, in the order that the labels are numbered by.',
  }),
  noTruth: (v: { key: string; known: readonly string[] }) => ({
    what: `The data has no "${v.key}", and so no panoptic ground truth; it has ${v.known.join(', ')}.`,
    fix: 'use a source with panoptic_image and panoptic_objects: {id, label, is_crowd, area}, such as shapes.',
  }),
});

/**
 * What a prediction says at the resolution of the ground truth. Stuff of one category is one segment, whatever its
 * instances; things are one for each instance.
 *
 * @param mask int32 [height, width, 2]: the class, 0 for nothing, and the instance
 * @param categories class c is the c-th of them
 */
export function predictedPanorama(
  mask: HostArray,
  categories: readonly Category[],
  [height, width]: readonly [number, number],
): Panorama {
  const [h, w] = mask.shape as [number, number, number];
  const [down, across] = [nearestPixels(h, height), nearestPixels(w, width)];
  const ids = new Int32Array(height * width);
  const found = new Map<number, Segment>();
  for (let y = 0; y < height; y++) {
    const row = (down[y] as number) * w;
    for (let x = 0; x < width; x++) {
      const at = 2 * (row + (across[x] as number));
      const class_ = mask.data[at] as number;
      if (class_ === 0) continue;
      const category = categoryOf(class_, categories);
      // A byte each, as in the files of COCO's format.
      const instance = category.isthing ? 256 * ((mask.data[at + 1] as number) & 255) : 65536;
      const id = instance + category.id;
      ids[y * width + x] = id;
      const area = (found.get(id)?.area ?? 0) + 1;
      found.set(id, { id, category: category.id, area });
    }
  }
  return { ids, segments: [...found.values()] };
}

/** What an example's panoptic_image (red + 256 green + 65536 blue is an id) and panoptic_objects say. */
export function truePanorama(
  example: Example,
  categories: readonly Category[],
): Panorama & { readonly size: readonly [height: number, width: number] } {
  const { shape, data } = arrayAt(example, 'panoptic_image');
  const [height, width] = shape as [number, number, number];
  const objects = isDict(example['panoptic_objects']) ? (example['panoptic_objects'] as Example) : {};
  const part = (key: string) => Array.from(arrayAt(objects, key, 'panoptic_objects/').data);
  const [labels, crowds, areas] = [part('label'), part('is_crowd'), part('area')];
  const segments = part('id').map((id, i) => ({
    id,
    category: categoryOf((labels[i] as number) + 1, categories).id,
    area: areas[i] as number,
    crowd: Boolean(crowds[i]),
  }));
  const ids = new Int32Array(height * width);
  for (let i = 0; i < ids.length; i++)
    ids[i] =
      (data[3 * i] as number) + 256 * (data[3 * i + 1] as number) + 65536 * (data[3 * i + 2] as number);
  return { ids, segments, size: [height, width] };
}

function categoryOf(class_: number, categories: readonly Category[]): Category {
  const category = categories[class_ - 1];
  if (!category) throw errors.unknownClass({ found: class_, classes: categories.length });
  return category;
}

function arrayAt(example: { readonly [key: string]: Feature }, key: string, under = ''): HostArray {
  const value = example[key];
  if (value === undefined || !(value as HostArray).data)
    throw errors.noTruth({ key: under + key, known: Object.keys(example) });
  return value as HostArray;
}
