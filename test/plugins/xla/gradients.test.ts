// Gradients of tfjs's kernels on XLA against those on tfjs's cpu backend, which are themselves tested against slopes;
// their own gradients, second derivatives, are compared in the same way.

import * as tfjs from '@tensorflow/tfjs-core';
import { engine, getGradient, type Scalar, setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { hostArray } from '../../../core/array';
import * as tf from '../../../core/tensor';
import { cpuGradientCases, gradientCases } from '../../support/gradient-cases';
import { registerFallbacks } from '../../../core/tensor/register';
import { lowerings } from '../../../plugins/xla/kernels';
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

/** Constant almost everywhere; LogSoftmax is above; BroadcastTo no op of tfjs runs. */
const others = [
  ...['ArgMax', 'ArgMin', 'Ceil', 'FloorDiv', 'IsFinite', 'IsInf', 'IsNan', 'Less', 'LogicalOr', 'NotEqual'],
  ...['OneHot', 'OnesLike', 'Round', 'Step', 'LogSoftmax', 'BroadcastTo'],
];

test('each kernel that runs on XLA and has a gradient is in a case', async () => {
  const named = Object.entries(tfjs).flatMap(([name, value]) => (name === value ? [name] : []));
  const known = named.filter((name) => typeof lowerings.get(name) === 'function' && getGradient(name));
  registerFallbacks('cpu');
  await setBackend('cpu');
  const run = jest.spyOn(engine(), 'runKernel');
  for (const make of Object.values({ ...gradientCases, ...cpuGradientCases })) {
    const [f, ...inputs] = make();
    gradients(f)(...inputs);
  }
  const ran = new Set(run.mock.calls.map(([name]) => name));
  run.mockRestore();
  expect(known.filter((name) => !ran.has(name) && !others.includes(name))).toEqual([]);
});
