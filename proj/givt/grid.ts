// Words of a code as a grid.

import { catalogue } from '../../core/errors';
import * as tf from '../../core/tensor';

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
export function spaceToDepth(x: tf.Tensor, [ph, pw]: Pair): tf.Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const [h, w] = [height / ph, width / pw];
  const cut = tf.transpose(tf.reshape(x, [-1, h, ph, w, pw, channels]), [0, 1, 3, 5, 2, 4]);
  return tf.reshape(cut, [-1, h * w, channels * ph * pw]);
}

/** The way back. */
export function depthToSpace(x: tf.Tensor, [ph, pw]: Pair): tf.Tensor {
  const [, length, depth] = x.shape as [number, number, number];
  const [h, w] = gridOfPatches(length, [ph, pw]);
  const channels = depth / (ph * pw);
  const cut = tf.transpose(tf.reshape(x, [-1, h, w, channels, ph, pw]), [0, 1, 4, 2, 5, 3]);
  return tf.reshape(cut, [-1, h * ph, w * pw, channels]);
}
