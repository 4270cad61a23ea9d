// Panoptic segmentation: what decoded classes and objects of pixels mean.

import type * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { panorama } from '../uvim';

/**
 * @param logits semantics and instances: float [batch, height, width, classes]
 * @returns int32 [batch, height, width, 2]: class and object, both 0 where there is none
 */
export function panopticOf(logits: Tree<tf.Tensor>): tf.Tensor {
  const { semantics, instances } = logits as Readonly<Record<string, tf.Tensor>>;
  return panorama(semantics as tf.Tensor, instances as tf.Tensor, 0);
}
