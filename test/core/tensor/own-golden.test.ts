// Our own ops against JAX: values, first and second derivatives.

import type { HostArray } from '../../../core/array';
import * as tf from '../../../core/tensor';
import { expectCase, readCase } from '../../support/golden';
import { fetchAll, onRuntimes } from '../../support/runtimes';

onRuntimes((use) => {
  test('elementwise', async () => {
    const golden = await readCase('ops_elementwise');
    const ops = {
      gelu: [(x: tf.Tensor) => tf.gelu(x), 'x'],
      gelu_exact: [(x: tf.Tensor) => tf.gelu(x, false), 'x'],
      erf_inv: [tf.erfInv, 'u'],
      log_sigmoid: [tf.logSigmoid, 'x'],
    } as const;
    const [x, u] = ['x', 'u'].map((name) => golden.inputs.get(name) as HostArray) as [HostArray, HostArray];
    const inside = u.data.filter((value) => Math.abs(value) < 1);
    const all = use.runtime.jit(
      (inputs: Readonly<Record<'x' | 'u', tf.Tensor>>) => {
        const results: Record<string, tf.Tensor> = {};
        for (const [name, [op, input]] of Object.entries(ops)) {
          const derivative = tf.grad((x: tf.Tensor) => tf.sum(op(x)));
          const at = name === 'erf_inv' ? tf.tensor(inside) : inputs[input];
          results[name] = op(inputs[input]);
          results[`${name}/grad`] = derivative(at);
          if (name !== 'erf_inv') {
            results[`${name}/grad2`] = tf.grad((x: tf.Tensor) => tf.sum(derivative(x)))(at);
          }
        }
        return results;
      },
      { name: 'elementwise' },
    );
    const sent = { x: use.runtime.toDevice(x), u: use.runtime.toDevice(u) };
    expectCase(await fetchAll(use.runtime, all(sent)), golden);
  });

  test('einsum', async () => {
    const golden = await readCase('ops_einsum');
    const equations = golden.args.equations as readonly string[];
    const all = use.runtime.jit(
      (inputs: Readonly<Record<string, tf.Tensor>>) => {
        const results: Record<string, tf.Tensor> = {};
        equations.forEach((equation, i) => {
          const given = (name: string) => inputs[`${i}/${name}`] as tf.Tensor;
          const weighted = (a: tf.Tensor, b: tf.Tensor) =>
            tf.sum(tf.mul(tf.einsum(equation, a, b), given('dy'))) as tf.Scalar;
          const { grads } = tf.valueAndGrads(weighted)([given('a'), given('b')]);
          results[`${i}/y`] = tf.einsum(equation, given('a'), given('b'));
          results[`${i}/da`] = grads[0] as tf.Tensor;
          results[`${i}/db`] = grads[1] as tf.Tensor;
        });
        return results;
      },
      { name: 'einsum' },
    );
    const sent = Object.fromEntries(
      [...golden.inputs].map(([name, array]) => [name, use.runtime.toDevice(array)]),
    );
    expectCase(await fetchAll(use.runtime, all(sent)), golden);
  });
});
