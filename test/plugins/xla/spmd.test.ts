// One program over four virtual devices computes what it computes on one.

import * as tf from '@tensorflow/tfjs-core';
import { HostArray } from '../../../core/array';
import { type PartitionSpec, ShardingLeaf, TensorSpec } from '../../../core/runtime';
import { castStorage, shardingConstraint } from '../../../core/tensor';
import { XlaRuntime } from '../../../plugins/xla';
import { expectClose, given, useXla, values } from './support';

const w = values([6, 8], 1);
const x = values([8, 6], 1);

type State = { w: tf.Tensor; m: tf.Tensor };

function trainStep(state: State, batch: tf.Tensor) {
  const loss = (v: tf.Tensor) => tf.mean(tf.square(tf.softmax(tf.matMul(batch, v)))) as tf.Scalar;
  const { value, grads } = tf.valueAndGrads(loss)([state.w]);
  const m = tf.add(tf.mul(state.m, 0.9), grads[0]!);
  return { state: { w: tf.sub(state.w, tf.mul(m, 0.1)), m }, loss: value };
}

/** Three steps, with parameters and batch split as said: losses and final parameters. */
async function train(
  runtime: XlaRuntime,
  paramSpec: PartitionSpec,
  batchSpec: PartitionSpec,
): Promise<number[]> {
  const step = runtime.jit(trainStep, { name: 'step', donate: [0] });
  const zeros = new HostArray('float32', w.shape, new Float32Array(w.data.length));
  let state: State = { w: runtime.toDevice(w, paramSpec), m: runtime.toDevice(zeros, paramSpec) };
  const batch = runtime.toDevice(x, batchSpec);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    const result = step(state, batch);
    state = result.state;
    losses.push(...(await runtime.toHost(result.loss)).data);
    expect(runtime.specOf(state.w).sharding).toEqual(paramSpec);
  }
  expect(step.programs).toBe(1);
  return [...losses, ...(await runtime.toHost(state.w)).data];
}

describe('on four devices', () => {
  const holder = useXla({ devices: 4 });
  let single: number[];

  test('the default mesh is one axis over all devices', () => {
    const { runtime } = holder;
    expect(runtime.mesh.axes).toEqual([['data', 4]]);
    expect(runtime.description).toBe('XLA on 4 cpu devices');
    expect(runtime.memory()).toHaveLength(4);
  });

  test('replicated training is the reference', async () => {
    single = await train(holder.runtime, [], []);
    expect(single.every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['a split batch', [], ['data']],
    ['split parameters', [null, 'data'], []],
    ['both', [null, 'data'], ['data']],
  ] as const)('%s', async (_name, paramSpec, batchSpec) => {
    expectClose(await train(holder.runtime, [...paramSpec], [...batchSpec]), single);
  });

  test('arrays are split and put together', async () => {
    const { runtime } = holder;
    const array = given('int32', [2, 4, 3], ...Array.from({ length: 24 }, (_, i) => i));
    const tensor = runtime.toDevice(array, [null, 'data']);
    expect(runtime.specOf(tensor)).toEqual(new TensorSpec('int32', [2, 4, 3], [null, 'data']));
    expect(await runtime.toHost(tensor)).toEqual(array);
    expect(Array.from(tensor.dataSync())).toEqual(Array.from(array.data));
  });

  test('kernels outside of a trace take sharded tensors', () => {
    const tensor = holder.runtime.toDevice(x, ['data']);
    expectClose(
      tf.sum(tensor, 0).dataSync(),
      tf.sum(tf.tensor(x.data as Float32Array, [8, 6]), 0).dataSync(),
    );
  });

  test('a batch that does not divide', () => {
    const odd = given('float32', [6, 2], ...Array.from({ length: 12 }, () => 0));
    expect(() => holder.runtime.toDevice(odd, ['data'])).toThrow(
      'dimension 0 has 6 elements, and the axis "data" has 4 devices',
    );
    const f = holder.runtime.jit((t: tf.Tensor) => tf.slice(t, 0, 6), {
      name: 'cuts',
      outShardings: new ShardingLeaf(['data']),
    });
    expect(() => f(holder.runtime.toDevice(x))).toThrow('Result 0 of "cuts" of shape [6, 6] can\'t be split');
  });

  test('specs that the mesh does not have', () => {
    expect(() => holder.runtime.toDevice(x, ['model'])).toThrow('The mesh has no axis "model"');
    expect(() => holder.runtime.toDevice(x, ['data', 'data'])).toThrow('twice');
    expect(() => holder.runtime.toDevice(given('float32', [4], 1, 2, 3, 4), [null, 'data'])).toThrow(
      'more dimensions',
    );
  });

  test('results have the shardings that are asked for', async () => {
    const { runtime } = holder;
    const f = runtime.jit((t: tf.Tensor) => ({ a: tf.add(t, 1), rest: [tf.neg(t), tf.sum(t)] }), {
      name: 'spread',
      outShardings: { a: new ShardingLeaf(['data']), rest: [new ShardingLeaf([null, 'data'])] } as never,
    });
    const input = runtime.toDevice(values([4, 8]));
    const { a, rest } = f(input);
    expect([a, ...rest].map((t) => runtime.specOf(t).sharding)).toEqual([['data'], [null, 'data'], []]);
    expectClose(
      (await runtime.toHost(a)).data,
      Array.from(values([4, 8]).data, (v) => v + 1),
    );
    expectClose(
      (await runtime.toHost(rest[0]!)).data,
      Array.from(values([4, 8]).data, (v) => -v),
    );
  });

  test('another sharding is another program', () => {
    const spy = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const f = holder.runtime.jit((t: tf.Tensor) => tf.neg(t), { name: 'neg' });
    f(holder.runtime.toDevice(x));
    f(holder.runtime.toDevice(x, ['data']));
    expect(f.programs).toBe(2);
    expect(spy.mock.calls[0]![0]).toBe(
      '"neg" is compiled again (program 2): argument 0 was f32[8, 6] and is f32[8, 6] over {data}.',
    );
    spy.mockRestore();
  });

  test('a constraint inside of the program', () => {
    const f = holder.runtime.jit((t: tf.Tensor) => tf.sum(shardingConstraint(tf.exp(t), ['data'])), {
      name: 'constrained',
    });
    const tensor = holder.runtime.toDevice(x);
    expect(f.compile(tensor).text).toContain('sdy.sharding_constraint %0 <@mesh, [{"data"}, {}]>');
    expectClose(f(tensor).dataSync(), tf.sum(tf.exp(tensor)).dataSync());
  });

  test('a captured tensor keeps its sharding', () => {
    const table = holder.runtime.toDevice(x, ['data']);
    const f = holder.runtime.jit((t: tf.Tensor) => tf.add(t, tf.sum(table)), { name: 'captures' });
    const { text } = f.compile(tf.scalar(1));
    expect(text).toContain('%arg1: tensor<8x6xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}');
    expectClose(f(tf.scalar(1)).dataSync(), tf.add(tf.sum(table), 1).dataSync());
  });

  test('bfloat16 storage is split too', async () => {
    const tensor = castStorage(holder.runtime.toDevice(x, ['data']), 'bfloat16');
    expect((await holder.runtime.toHost(tensor)).dtype).toBe('bfloat16');
  });
});

describe('meshes of two axes', () => {
  const holder = useXla({
    devices: 4,
    mesh: [
      ['replica', 2],
      ['fsdp', -1],
    ],
  });

  test('one axis takes the devices that remain', () => {
    expect(holder.runtime.mesh.axes).toEqual([
      ['replica', 2],
      ['fsdp', 2],
    ]);
  });

  test('training over both, and over one', async () => {
    const single = await train(holder.runtime, [], []);
    expectClose(await train(holder.runtime, ['fsdp'], [['replica', 'fsdp']]), single);
    expectClose(await train(holder.runtime, [], ['replica']), single);
  });

  test('arrays are split over both', async () => {
    const tensor = holder.runtime.toDevice(x, [['replica', 'fsdp']]);
    expect(await holder.runtime.toHost(tensor)).toEqual(x);
    const grid = holder.runtime.toDevice(x, ['fsdp', 'replica']);
    expect(await holder.runtime.toHost(grid)).toEqual(x);
  });
});

test('a mesh that does not fit the devices', async () => {
  await expect(XlaRuntime.create({ devices: 4, mesh: [['data', 3]] })).rejects.toThrow(
    'The mesh {data: 3} takes 3 devices, and there are 4.',
  );
});
