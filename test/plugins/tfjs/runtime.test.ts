import { memory } from '@tensorflow/tfjs-core';
import { HostArray, hostArray } from '../../../core/array';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { type Plugin, registrarFor } from '../../../core/plugin';
import { type Runtime, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import tfjs from '../../../plugins/tfjs';

const container = Container.create();
const registry = new Registry();
(tfjs as Plugin).register?.(registrarFor(tfjs, registry, container));
const open = (name: string, options = {}) =>
  registry.create(container, 'runtime', name, {}, 'runtime')(options);

describe.each(['wasm', 'cpu'])('%s', (name) => {
  let runtime: Runtime;
  beforeAll(async () => (runtime = await open(name)));
  afterAll(() => runtime.dispose());

  const put = (...values: number[]) => runtime.toDevice(hostArray('float32', [values.length], values));

  test('arrays go there and come back', async () => {
    const arrays = [
      hostArray('float32', [2, 2], [1, 2, 3, 4]),
      hostArray('int32', [], [7]),
      hostArray('bool', [3], [1, 0, 1]),
      hostArray('float32', [0, 3], []),
    ];
    for (const array of arrays) expect(await runtime.toHost(runtime.toDevice(array))).toEqual(array);
    const half = runtime.toDevice(new HostArray('bfloat16', [2], Uint16Array.of(0x3f80, 0xc000)));
    expect(await runtime.toHost(half)).toEqual(hostArray('float32', [2], [1, -2]));
    const sixteen = runtime.toDevice(new HostArray('float16', [3], Uint16Array.of(0x3c00, 0xc000, 0x0001)));
    expect(await runtime.toHost(sixteen)).toEqual(hostArray('float32', [3], [1, -2, 2 ** -24]));
    const bytes = runtime.toDevice(hostArray('uint8', [2], [0, 255]));
    expect(await runtime.toHost(bytes)).toEqual(hostArray('int32', [2], [0, 255]));
  });

  test('a jitted function takes trees, donates, and passes static arguments', async () => {
    const step = runtime.jit(
      (state: { x: tf.Tensor; same: tf.Tensor }, scale: number) => ({
        state: { x: tf.mul(state.x, scale), same: state.same },
        again: [state.same],
      }),
      { name: 'step', donate: [0], static: [1] },
    );
    const state = { x: put(1, 2), same: put(5) };
    const out = step(state, 3);
    expect([state.x.isDisposed, state.same.isDisposed]).toEqual([true, true]);
    expect((await runtime.toHost(out.state.x)).data).toEqual(Float32Array.of(3, 6));
    expect((await runtime.toHost(out.state.same)).data).toEqual(Float32Array.of(5));
    expect((await runtime.toHost(out.again[0] as tf.Tensor)).data).toEqual(Float32Array.of(5));
  });

  test('steps leave nothing behind', () => {
    const step = runtime.jit(
      (w: tf.Tensor, x: tf.Tensor) => {
        const { value, grads } = tf.valueAndGrads(
          (w: tf.Tensor) => tf.sum(tf.square(tf.mul(w, x))) as tf.Scalar,
        )([w]);
        return { w: tf.sub(w, tf.mul(0.1, grads[0] as tf.Tensor)), loss: value };
      },
      { name: 'step', donate: [0] },
    );
    let w = put(1, 2, 3);
    const x = put(1, 1, 1);
    const counts = Array.from({ length: 5 }, () => {
      const out = step(w, x);
      w = out.w;
      out.loss.dispose();
      return memory().numTensors;
    });
    expect(new Set(counts).size).toBe(1);
  });

  test('evalShape tells shapes and keeps nothing', () => {
    const before = memory().numTensors;
    const specs = runtime.evalShape(
      (x: tf.Tensor, n: number) => ({ y: tf.tile(x, [n, 1]), count: tf.scalar(1, 'int32') }),
      new TensorSpec('float32', [2, 3]),
      4,
    );
    expect(specs).toEqual({ y: new TensorSpec('float32', [8, 3]), count: new TensorSpec('int32', []) });
    expect(memory().numTensors).toBe(before);
  });

  test('the gradient of gather, which wasm borrows', async () => {
    const grad = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.gather(x, tf.range(0, 2, 1, 'int32')), 3)));
    expect((await runtime.toHost(grad(put(1, 2, 3)))).data).toEqual(Float32Array.of(3, 3, 0));
  });
});

test('a mesh of several devices is refused', async () => {
  await expect(open('cpu', { mesh: [['data', 4]] })).rejects.toThrow(
    'has 4 devices, and the cpu runtime has one',
  );
  await expect(open('cpu', { mesh: [['data', -1]] })).resolves.toMatchObject({ mesh: { size: 1 } });
});

test('tensorflow says what it needs where it does not load', async () => {
  const absent = () => {
    throw new Error('the library was not downloaded');
  };
  jest.doMock('@tensorflow/tfjs-node-gpu', absent, { virtual: true });
  jest.doMock('@tensorflow/tfjs-node', absent, { virtual: true });
  await expect(open('tensorflow')).rejects.toMatchObject({ code: 'runtime/no-tensorflow' });
});
