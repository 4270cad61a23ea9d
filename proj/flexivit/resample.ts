// Linear resizing as matrices, and its inverse for patch embeddings (FlexiViT, arXiv:2212.08013, section 3.4).

import { Matrix, pseudoInverse } from 'ml-matrix';
import { type HostArray, hostArray } from '../../core/array';
import * as tf from '../../core/tensor';
import { linearWeights } from '../../plugins/layers';

type Size = readonly [height: number, width: number];

/** The matrix [to, from] that resizes a line of `from` samples. */
export const resizeMatrix = (from: number, to: number, antialias: boolean): Matrix =>
  new Matrix(linearWeights(from, to, antialias));

/** The pseudo-inverse [to, from] of resizing, transposed: what keeps the product of patch and kernel. */
const inverseMatrix = (from: number, to: number): Matrix =>
  from === to ? Matrix.eye(to) : pseudoInverse(resizeMatrix(from, to, false).transpose());

const constant = (matrix: Matrix): tf.Tensor => tf.tensor(matrix.to1DArray(), [matrix.rows, matrix.columns]);

/** Applies a matrix to each of the two leading axes: [h, w, ...] to [h', w', ...]; the letters are those of the rest. */
const alongBoth = (x: tf.Tensor, [down, across]: readonly [Matrix, Matrix], rest: string): tf.Tensor =>
  tf.einsum(
    `qw,pw${rest}->pq${rest}`,
    constant(across),
    tf.einsum(`ph,hw${rest}->pw${rest}`, constant(down), x),
  );

/**
 * Fits a patch embedding to patches of another size, so that embeddings of images resized alike stay the same.
 * The pseudo-inverse of a bilinear resize is that of each axis in turn. Traced.
 * @param kernel float32 [height, width, channels, features]
 * @returns float32 [newHeight, newWidth, channels, features]
 */
export function resamplePatchemb(kernel: tf.Tensor, [height, width]: Size): tf.Tensor {
  const [h, w] = kernel.shape as [number, number, number, number];
  if (h === height && w === width) return kernel;
  return alongBoth(kernel, [inverseMatrix(h, height), inverseMatrix(w, width)], 'cd');
}

export const patchembResizes = ['pi', 'linear', 'area', 'norm'] as const;

/**
 * The ways to resize a patch embedding that the paper compares (figure 3): `pi` is {@link resamplePatchemb}; `linear` resizes
 * the kernel as an image; `area` divides that by how much the patch has grown; `norm` gives each feature's kernel the length
 * that it had. Traced.
 */
export function resizePatchemb(
  kernel: tf.Tensor,
  [height, width]: Size,
  how: (typeof patchembResizes)[number],
): tf.Tensor {
  const [h, w] = kernel.shape as [number, number, number, number];
  if (how === 'pi' || (h === height && w === width)) return resamplePatchemb(kernel, [height, width]);
  const resized = alongBoth(kernel, [resizeMatrix(h, height, false), resizeMatrix(w, width, false)], 'cd');
  if (how === 'linear') return resized;
  if (how === 'area') return tf.mul(resized, (h * w) / (height * width));
  const length = (x: tf.Tensor) => tf.sqrt(tf.sum(tf.square(x), [0, 1, 2], true));
  return tf.mul(resized, tf.div(length(kernel), tf.add(length(resized), 1e-12)));
}

/** {@link resamplePatchemb} of a parameter in host memory, summed in float64. */
export function resamplePatchembOnHost(kernel: HostArray, [height, width]: Size): HostArray {
  const [h, w, channels, features] = kernel.shape as [number, number, number, number];
  if (h === height && w === width) return kernel;
  const both = inverseMatrix(h, height).kroneckerProduct(inverseMatrix(w, width));
  const columns = channels * features;
  const values = Matrix.from1DArray(h * w, columns, Array.from(kernel.data, Number));
  return hostArray(
    'float32',
    [height, width, channels, features],
    Float32Array.from(both.mmul(values).to1DArray()),
  );
}

/**
 * Position embeddings for another grid: linear, antialiased when it shrinks. Traced.
 * @param positions float32 [1, rows * columns, width]
 * @returns float32 [1, newRows * newColumns, width]
 */
export function resizePosemb(positions: tf.Tensor, from: Size, to: Size): tf.Tensor {
  const width = positions.shape[2] as number;
  // The original compares lengths, not grids: 2 x 8 passes for 4 x 4.
  if (from[0] * from[1] === to[0] * to[1]) return positions;
  const matrices = [resizeMatrix(from[0], to[0], true), resizeMatrix(from[1], to[1], true)] as const;
  const resized = alongBoth(tf.reshape(positions, [...from, width]), matrices, 'd');
  return tf.reshape(resized, [1, to[0] * to[1], width]);
}
