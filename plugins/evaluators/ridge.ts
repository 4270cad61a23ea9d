// Ridge regression from features to classes, as few-shot evaluation has it.

import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { type HostArray, hostArray } from '../../core/array';

/** Weight of the constant feature: so large that its coefficient is hardly regularized. */
const biasConstant = 100;

export interface Ridge {
  /** Mean and standard deviation (+1e-5) of the features that it was fitted to, [1, width]. */
  readonly mean: HostArray<'float32'>;
  readonly std: HostArray<'float32'>;
  /** Coefficients of whitened features, the last row of the constant one: [width + 1, classes]. */
  readonly weights: HostArray<'float32'>;
  /** What is multiplied by the last row. */
  readonly constant: number;
}

/**
 * (x'x + l2 I)^-1 x'y of the whitened features x, or the same as x'(xx' + l2 I)^-1 y where there are fewer examples than
 * features; y is 1 for the class of an example and -1 for others. In double precision. x: [examples, width]; y:
 * [examples] of 0 to classes - 1; l2: positive.
 */
export function fitRidge(x: HostArray, y: ArrayLike<number>, classes: number, l2: number): Ridge {
  const [examples, width] = x.shape as [number, number];
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  const at = (row: number, column: number) => x.data[row * width + column] as number;
  for (let row = 0; row < examples; row++)
    for (let column = 0; column < width; column++) mean[column]! += at(row, column) / examples;
  for (let row = 0; row < examples; row++)
    for (let column = 0; column < width; column++)
      variance[column]! += (at(row, column) - mean[column]!) ** 2 / examples;
  const std = variance.map((value) => Math.sqrt(value) + 1e-5);

  const features = Matrix.zeros(examples, width + 1);
  const targets = Matrix.zeros(examples, classes).fill(-1);
  for (let row = 0; row < examples; row++) {
    for (let column = 0; column < width; column++)
      features.set(row, column, (at(row, column) - mean[column]!) / std[column]!);
    features.set(row, width, biasConstant);
    targets.set(row, y[row] as number, 1);
  }
  const transposed = features.transpose();
  const solve = (gram: Matrix, right: Matrix) => {
    for (let i = 0; i < gram.rows; i++) gram.set(i, i, gram.get(i, i) + l2);
    return new CholeskyDecomposition(gram).solve(right);
  };
  const weights =
    examples > width
      ? solve(transposed.mmul(features), transposed.mmul(targets))
      : transposed.mmul(solve(features.mmul(transposed), targets));
  return {
    mean: hostArray('float32', [1, width], Float32Array.from(mean)),
    std: hostArray('float32', [1, width], Float32Array.from(std)),
    weights: hostArray('float32', [width + 1, classes], Float32Array.from(weights.to1DArray())),
    constant: biasConstant,
  };
}
