// Gradients of tfjs's kernels on XLA against those on tfjs's cpu backend, which are themselves tested against slopes.

import { engine, type Scalar, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { hostArray } from '../../../core/array';
import * as tf from '../../../core/tensor';
import { cpuGradientCases, gradientCases } from '../../support/gradient-cases';
import { type Case, compareWithCpu, values } from './support';

/** A scalar in which each element of y has a part of its own. */
function weighted(y: Tensor): Scalar {
  const weights = tensor(values(y.shape).data as Float32Array, y.shape);
  return tf.sum(tf.mul(weights, y)) as Scalar;
}

type Fn = (...inputs: Tensor[]) => Tensor;
const gradients =
  (f: Fn) =>
  (...inputs: Tensor[]) =>
    tf.valueAndGrads((...x: Tensor[]) => weighted(f(...x)))(inputs).grads as Tensor[];

const kernelLogSoftmax = (logits: Tensor) =>
  engine().runKernel('LogSoftmax', { logits }, { axis: 1 }) as Tensor;

const cases = Object.entries({ ...gradientCases, ...cpuGradientCases }).map(([name, make]): Case => {
  const [f, ...tensors] = make();
  const inputs = tensors.map((x) => hostArray('float32', x.shape, Array.from(x.dataSync())));
  return { name, inputs, run: gradients(f), tolerance: 1e-5 };
});

compareWithCpu([
  ...cases,
  {
    name: 'logSoftmax as a kernel, which cpu lacks',
    inputs: [values([2, 3])],
    run: gradients(kernelLogSoftmax),
    reference: gradients((x) => tf.logSoftmax(x, 1)),
  },
  ...[
    { name: 'avgPool with padding', pad: 'same' as const },
    { name: 'avgPool without', pad: 'valid' as const },
  ].map(({ name, pad }): Case => ({
    name,
    inputs: [values([1, 4, 4, 2])],
    run: gradients((x) => tf.avgPool(x as tf.Tensor4D, 2, 2, pad)),
  })),
]);
