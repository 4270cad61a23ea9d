import * as tf from '../../core/tensor';

/** x cast to the storage that a layer computes in, or as it is. */
export function inStorage(x: tf.Tensor, dtype: tf.StorageType | undefined): tf.Tensor {
  return dtype === undefined ? x : tf.castStorage(x, dtype);
}
