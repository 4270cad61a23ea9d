// The runtime as a whole: what it says of itself, arrays in and out, and one after the other in a process.

import '../../support/cpu-backend';
import * as tf from '@tensorflow/tfjs-core';
import { HostArray } from '../../../core/array';
import { TensorSpec } from '../../../core/runtime';
import { castStorage } from '../../../core/tensor';
import { XlaRuntime } from '../../../plugins/xla';
import { given, values } from './support';

let runtime: XlaRuntime;
beforeEach(async () => {
  runtime = await XlaRuntime.create();
});
afterEach(() => runtime.dispose());

test('what it is', () => {
  expect(runtime).toMatchObject({
    name: 'xla',
    platform: 'cpu',
    compiles: true,
    process: { index: 0, count: 1 },
  });
  expect(runtime.description).toBe('XLA on 1 cpu device');
  expect(runtime.mesh.axes).toEqual([['data', 1]]);
  expect(runtime.memory()).toHaveLength(1);
});

test.each(['float32', 'int32', 'uint8', 'bool', 'bfloat16', 'float16'] as const)(
  '%s goes in and comes out',
  async (dtype) => {
    const array = given(dtype, [2, 3], 1, 0, 1, 1, 0, 1);
    const tensor = runtime.toDevice(array);
    expect(runtime.specOf(tensor)).toEqual(new TensorSpec(dtype, [2, 3]));
    expect(await runtime.toHost(tensor)).toEqual(array);
  },
);

test('the host array may be reused at once', async () => {
  const array = values([4]);
  const before = array.data.slice();
  const tensor = runtime.toDevice(array);
  array.data.fill(0);
  expect((await runtime.toHost(tensor)).data).toEqual(before);
});

test('empty and scalar arrays', async () => {
  for (const array of [given('float32', [0, 3]), given('int32', [], 7)]) {
    expect(await runtime.toHost(runtime.toDevice(array))).toEqual(array);
  }
});

test('tensors made by tfjs come out too', async () => {
  expect(await runtime.toHost(tf.tensor([1, 2]))).toEqual(
    new HostArray('float32', [2], Float32Array.of(1, 2)),
  );
  expect(runtime.specOf(tf.tensor([true], [1], 'bool'))).toEqual(new TensorSpec('bool', [1]));
});

test('bfloat16 is float32 to tfjs', async () => {
  const x = castStorage(tf.tensor([1, 1.001, -3.14159]), 'bfloat16');
  expect(x.dtype).toBe('float32');
  expect(runtime.specOf(x).dtype).toBe('bfloat16');
  expect(Array.from(x.dataSync())).toEqual([1, 1, -3.140625]);
  expect(Array.from((await runtime.toHost(x)).data)).toEqual([0x3f80, 0x3f80, 0xc049]);
});

// Enough elements for vector instructions, whose minimum and maximum XLA takes by default though they drop NaN.
test.each<[string, (x: tf.Tensor) => tf.Tensor]>([
  ['max', (x) => tf.max(x)],
  ['min', (x) => tf.min(x)],
  ['minimum', (x) => tf.minimum(0, x)],
  ['maximum', (x) => tf.maximum(0, x)],
])('%s keeps NaN, in a program and outside of one', (name, run) => {
  const x = tf.tensor(Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? NaN : i - 30)));
  const program = runtime.jit(run, { name });
  for (const result of [run(x), program(x)]) expect(result.dataSync()[0]).toBeNaN();
});

test('tensors of another tfjs backend are copied in', async () => {
  await tf.setBackend('cpu');
  const x = tf.tensor([1, 2]);
  await tf.setBackend('xla');
  expect(Array.from(tf.neg(x).dataSync())).toEqual([-1, -2]);
});

test('after dispose another runtime works, and old tensors say why they do not', async () => {
  const old = runtime.toDevice(given('float32', [2], 1, 2));
  await runtime.dispose();
  runtime = await XlaRuntime.create({ devices: 2 });
  expect(() => tf.neg(old)).toThrow('A tensor is used after the runtime that made it was disposed');
  await expect(runtime.toHost(old)).rejects.toThrow('after the runtime that made it was disposed');
  expect(Array.from(tf.neg(runtime.toDevice(given('float32', [2], 1, 2))).dataSync())).toEqual([-1, -2]);
  old.dispose();
});
