// tfjs's oneHot, for one class too: a task with a single label has labels of width 1.

import {
  cast,
  type DataType,
  equal,
  expandDims,
  oneHot as ofMany,
  scalar,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';

/** [..., depth] from integers: `onValue` where the last axis counts the integer, `offValue` elsewhere. */
export function oneHot(
  indices: Tensor,
  depth: number,
  onValue = 1,
  offValue = 0,
  dtype: DataType = 'int32',
): Tensor {
  if (depth !== 1) return ofMany(indices, depth, onValue, offValue, dtype);
  const hot = where(equal(indices, scalar(0, 'int32')), scalar(onValue), scalar(offValue));
  return expandDims(cast(hot, dtype), -1);
}
