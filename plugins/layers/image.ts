// What models of images take from a batch.

import type { Batch } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

/** The batch's `image` as float32. */
export function imageOf(scope: Scope, { image }: Batch): tf.Tensor {
  if (!image) {
    throw scope.shapeError(
      'the batch has no "image"',
      'let pp end with keep("image", "labels"), or rename what holds the images.',
    );
  }
  return image.dtype === 'float32' ? image : tf.cast(image, 'float32');
}
