// The masks of a picture in the form of COCO's panoptic segmentation, so that ops and evaluators for that take them.

import { type HostArray, hostArray } from '../../core/array';
import { type Picture, shapeNames } from './scene';

/** Of the background among the labels, which are the places of names among `shapeNames` otherwise. */
const background = shapeNames.length;

/**
 * `panoptic_image` uint8 [size, size, 3]: its red is the id of a segment. `panoptic_objects`: id, label, is_crowd and area
 * in pixels, int32, of each segment that can be seen; the background is one.
 */
export function panopticFeatures({ instances, semantics }: Picture, size: number) {
  const image = new Uint8Array(size * size * 3);
  const found = new Map<number, { label: number; area: number }>();
  for (let at = 0; at < instances.length; at++) {
    // An id of 0 would say that nothing is known here.
    const id = (instances[at] as number) + 1;
    image[3 * at] = id;
    const label = (semantics[at] as number) === 0 ? background : (semantics[at] as number) - 1;
    found.set(id, { label, area: (found.get(id)?.area ?? 0) + 1 });
  }
  const segments = [...found].sort(([a], [b]) => a - b);
  const column = (of: (segment: (typeof segments)[number]) => number): HostArray =>
    hostArray('int32', [segments.length], segments.map(of));
  return {
    panoptic_image: hostArray('uint8', [size, size, 3], image),
    panoptic_objects: {
      id: column(([id]) => id),
      label: column(([, { label }]) => label),
      is_crowd: column(() => 0),
      area: column(([, { area }]) => area),
    },
  };
}
