// Words of a code as a grid.

import { catalogue } from '../../core/errors';
import * as tf from '../../core/tensor';
import { fromPatchGrid, toPatchGrid } from '../../plugins/layers';

type Pair = readonly [number, number];

const errors = catalogue('givt', {
  grid: (v: { length: number; patch: Pair }) => ({
    what: `A code of ${v.length} words isn't a square image cut into patches of ${v.patch[0]} by ${v.patch[1]}.`,
    fix: 'make code_len (or seq_len) and pixel_shuffle_patch_size agree.',
  }),
});

/** Height and width of the grid of patches of a square of words that is cut into `length` patches. */
export function gridOfPatches(length: number, patch: Pair): Pair {
  const side = Math.floor(Math.sqrt(length * patch[0] * patch[1]));
  const grid = [Math.floor(side / patch[0]), Math.floor(side / patch[1])] as const;
  if (grid[0] * grid[1] !== length) throw errors.grid({ length, patch });
  return grid;
}

/** [batch, height, width, c] -> [batch, patches, c * size of a patch] */
export function spaceToDepth(x: tf.Tensor, patch: Pair): tf.Tensor {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  return tf.reshape(toPatchGrid(x, patch), [batch, -1, channels * patch[0] * patch[1]]);
}

/** The way back. */
export const depthToSpace = (x: tf.Tensor, patch: Pair): tf.Tensor =>
  fromPatchGrid(x, gridOfPatches(x.shape[1] as number, patch), patch);
