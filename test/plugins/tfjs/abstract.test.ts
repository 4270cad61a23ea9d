// Abstract evaluation on eager runtimes: the specs are those of what the function would make, at no cost.

import { memory } from '@tensorflow/tfjs-core';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { declareParams, initParams } from '../../../core/layers/params';
import { type Plugin, registrarFor } from '../../../core/plugin';
import { type Runtime, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import type { Tree } from '../../../core/tree';
import tfjs from '../../../plugins/tfjs';
import { vit, vitOptions } from '../../../plugins/vit';
import { expectCase, readCase } from '../../support/golden';
import { fetchAll } from '../../support/runtimes';

const container = Container.create();
const registry = new Registry();
(tfjs as Plugin).register?.(registrarFor(tfjs, registry, container));
const open = (name: string) => registry.create(container, 'runtime', name, {}, 'runtime')({});

describe.each(['wasm', 'cpu'])('%s', (name) => {
  let runtime: Runtime;
  beforeAll(async () => (runtime = await open(name)));

  test('a model of hundreds of millions of parameters costs no time and no memory', () => {
    const model = vit(vitOptions.parse({ variant: 'L/16', num_classes: 1000 }));
    const before = { ...memory(), rss: process.memoryUsage().rss };
    const declared = declareParams(runtime, model, { image: new TensorSpec('float32', [8, 224, 224, 3]) });
    expect(declared).toHaveLength(391);
    expect(memory().numTensors).toBe(before.numTensors);
    // The parameters alone would be 1.2 GB.
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(500e6);
  });

  test('a gradient step has the specs of what it makes', async () => {
    const step = (w: tf.Tensor, batch: { x: tf.Tensor; ids: tf.Tensor }) => {
      const loss = (w: tf.Tensor) => {
        const images = tf.conv2d(batch.x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
        const pooled = tf.maxPool(images as tf.Tensor4D, 2, 2, 'valid');
        const chosen = tf.gather(tf.reshape(pooled, [-1, 5]), batch.ids);
        const gated = tf.where(tf.greater(chosen, 0), tf.gelu(chosen), tf.softmax(chosen));
        return tf.mean(tf.einsum('nd,md->nm', gated, tf.transpose(tf.transpose(gated)))) as tf.Scalar;
      };
      const { value, grad } = tf.valueAndGrad(loss)(w);
      const best = tf.argMax(grad, -1);
      return {
        w: tf.sub(w, grad),
        value,
        best,
        above: tf.greater(grad, 0),
        wide: tf.concat([grad, grad], 2),
      };
    };
    const specs = {
      w: new TensorSpec('float32', [3, 3, 2, 5]),
      batch: { x: new TensorSpec('float32', [2, 6, 6, 2]), ids: new TensorSpec('int32', [4]) },
    };
    const abstract = runtime.evalShape(step, specs.w, specs.batch) as Record<string, TensorSpec>;
    const made = runtime.jit(step, { name: 'step' })(tf.ones([3, 3, 2, 5]), {
      x: tf.ones([2, 6, 6, 2]),
      ids: tf.tensor([0, 1, 2, 3], [4], 'int32'),
    });
    const real = Object.entries(made).map(([name, x]) => [name, runtime.specOf(x)]);
    expect(abstract).toEqual(Object.fromEntries(real));
  });

  test('ops go on running on the runtime afterwards', async () => {
    const x = tf.tensor([1, 2]);
    runtime.evalShape((y: tf.Tensor) => tf.add(y, x), new TensorSpec('float32', [3, 2]));
    expect([...tf.add(x, 1).dataSync()]).toEqual([2, 3]);
    expect(() =>
      runtime.evalShape(() => {
        throw new Error('of the model');
      }),
    ).toThrow('of the model');
    expect([...tf.mul(x, 3).dataSync()]).toEqual([3, 6]);
  });

  test("the original's initial parameters", async () => {
    const golden = await readCase('init_exact_vit_map_seed42');
    const image = new TensorSpec('float32', golden.inputs.get('image')?.shape as number[]);
    const declared = declareParams(runtime, vit(vitOptions.parse(golden.args)), { image });
    const params = initParams(runtime, declared, tf.random.key((golden.call as { seed: number }).seed));
    expectCase(await fetchAll(runtime, params as Tree<tf.Tensor>, 'params/'), golden);
  });
});

test('runtimes take turns', async () => {
  const [wasm, cpu] = [await open('wasm'), await open('cpu')];
  const double = (runtime: Runtime) => runtime.jit((x: tf.Tensor) => tf.mul(x, 2), { name: 'double' });
  const put = (runtime: Runtime) =>
    runtime.toDevice({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
  const [onWasm, onCpu] = [double(wasm), double(cpu)];
  const [a, b] = [put(wasm), put(cpu)];
  expect((await wasm.toHost(onWasm(onWasm(a)))).data).toEqual(Float32Array.of(4, 8));
  expect((await cpu.toHost(onCpu(b))).data).toEqual(Float32Array.of(2, 4));
  expect((await wasm.toHost(onWasm(a))).data).toEqual(Float32Array.of(2, 4));
});
