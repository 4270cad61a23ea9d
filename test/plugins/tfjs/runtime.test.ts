import { spawnSync } from 'node:child_process';
import path from 'node:path';
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

  test('a jitted function inside of another, of a gradient, or of evalShape is part of it', async () => {
    const inner = runtime.jit((x: tf.Tensor) => ({ y: tf.square(x), same: x }), {
      name: 'inner',
      donate: [0],
    });
    const outer = runtime.jit((x: tf.Tensor) => tf.add(inner(x).y, inner(x).same), { name: 'outer' });
    expect((await runtime.toHost(outer(put(2, 3)))).data).toEqual(Float32Array.of(6, 12));
    const slope = runtime.jit((x: tf.Tensor) => tf.grad((at: tf.Tensor) => tf.sum(inner(at).y))(x), {
      name: 'slope',
    });
    expect((await runtime.toHost(slope(put(2, 3)))).data).toEqual(Float32Array.of(4, 6));
    const outside = tf.grad((at: tf.Tensor) => tf.sum(inner(at).y))(put(5));
    expect((await runtime.toHost(outside)).data).toEqual(Float32Array.of(10));
    const specs = runtime.evalShape((x: tf.Tensor) => outer(x), new TensorSpec('float32', [7]));
    expect(specs).toEqual(new TensorSpec('float32', [7]));
  });

  test('what is no tensor is refused, as on xla', () => {
    const same = runtime.jit((x: unknown) => x as tf.Tensor, { name: 'same' });
    expect(() => same({ a: [put(1), 5] })).toThrow('"same" got the number 5 as argument 0 a/1');
    const bad = runtime.jit(() => ({ loss: 'none' }), { name: 'bad' });
    expect(bad).toThrow('"bad" returned the string none as result loss');
    const late = runtime.jit(async () => put(1), { name: 'late' });
    expect(late).toThrow('"late" returned a promise');
  });

  test('a function that throws leaves nothing behind, and its donated arguments intact', () => {
    const x = put(1, 2);
    const before = memory().numTensors;
    const failing = runtime.jit(
      (x: tf.Tensor) => {
        tf.mul(x, 2);
        throw new Error('of the function');
      },
      { name: 'failing', donate: [0] },
    );
    expect(() => failing(x)).toThrow('of the function');
    expect(memory().numTensors).toBe(before);
    expect([...x.dataSync()]).toEqual([1, 2]);
    // What comes next runs as before.
    const step = runtime.jit((x: tf.Tensor) => tf.add(x, 1), { name: 'step', donate: [0] });
    tf.dispose(step(x));
    expect(memory().numTensors).toBe(before - 1);
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

test('after a runtime another one can be made, and the first again', async () => {
  for (const name of ['wasm', 'cpu', 'wasm', 'cpu']) {
    const runtime = await open(name);
    const x = runtime.toDevice(hostArray('float32', [2], [1, 2]));
    const double = runtime.jit((x: tf.Tensor) => tf.mul(x, 2), { name: 'double', donate: [0] });
    expect((await runtime.toHost(double(x))).data).toEqual(Float32Array.of(2, 4));
    expect(double.compile()).toEqual({ traceSeconds: 0, compileSeconds: 0, cached: false });
    await runtime.dispose();
  }
});

test('importing the plugin loads no backend', () => {
  const loaded = `
    require('./core/register');
    require('./plugins/tfjs');
    const heavy = Object.keys(require.cache).filter((file) => /@tensorflow/.test(file));
    process.stdout.write(JSON.stringify(heavy));`;
  const root = path.join(__dirname, '..', '..', '..');
  const result = spawnSync(process.execPath, ['-e', loaded], { cwd: root, encoding: 'utf8' });
  expect([result.stderr, result.stdout]).toEqual(['', '[]']);
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
