// A recorded run of 20 steps on one device, and split in every way over eight: the same losses, a part of the memory.

import { bytesOnDevice, partsOf, axesOf } from '../../../core/mesh';
import type { Collective, TensorSpec } from '../../../core/runtime';
import type { XlaOptions } from '../../../plugins/xla';
import { readCase } from '../../support/golden';
import { megatron, relativeDifference, runSharded, type ShardedRun } from '../../support/sharded';

interface Split {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly options: XlaOptions;
  /** Over how many devices the largest arrays are split. */
  readonly parts: number;
}

const splits: readonly Split[] = [
  { name: 'replicate', config: {}, options: {}, parts: 1 },
  {
    name: 'fsdp over all devices',
    config: { sharding_strategy: [['.*', "fsdp('data', min_size_to_shard_mb=0)"]] },
    options: { mesh: [['data', -1]] },
    parts: 8,
  },
  {
    name: 'fsdp in two replicas',
    config: { sharding_strategy: [['.*', "fsdp(axis='fsdp', min_size_to_shard_mb=0)"]] },
    options: {
      mesh: [
        ['replica', 2],
        ['fsdp', 4],
      ],
    },
    parts: 4,
  },
  {
    name: 'tensors and data',
    config: { sharding_strategy: megatron },
    options: {
      mesh: [
        ['data', 4],
        ['model', 2],
      ],
      rules: [
        ['act_batch', 'data'],
        ['mlp', 'model'],
      ],
    },
    parts: 2,
  },
];

let one: ShardedRun;
// XLA's code generator takes most of the time, and speed is not what is tested.
process.env.BV_XLA_FLAGS = 'xla_backend_optimization_level=0';
const golden = readCase('train_vit_softmax_f32');
beforeAll(async () => {
  one = await runSharded(await golden, {}, { devices: 1 });
  expect(one.losses).toHaveLength(20);
});

const only = (kind: string, collectives: readonly Collective[] = []) =>
  collectives.filter((collective) => collective.kind === kind);

describe.each(splits)('$name', ({ config, options, parts }) => {
  let run: ShardedRun;
  beforeAll(async () => {
    run = await runSharded(await golden, config, { devices: 8, ...options });
  });

  test('the losses are those of one device', () => {
    expect(relativeDifference(run.losses, one.losses)).toBeLessThan(1e-5);
  });

  test('the state is made as the strategy says, and stays so', () => {
    expect([...run.state.last]).toEqual([...run.state.first]);
    const mesh = { axes: meshOf(options), size: 8 };
    const kernels = [...run.state.first].filter(([name]) => name.endsWith('/MlpBlock_0/Dense_0/kernel'));
    expect(kernels).toHaveLength(3);
    for (const [, { sharding }] of kernels) expect(partsOf(mesh, sharding.flatMap(axesOf))).toBe(parts);
  });

  test('a device holds its part of the state', () => {
    const mesh = { axes: meshOf(options), size: 8 };
    const sum = (of: (spec: TensorSpec) => number) =>
      [...run.state.first.values()].reduce((total, spec) => total + of(spec), 0);
    const whole = sum((spec) => bytesOnDevice(mesh, spec, []));
    const part = sum((spec) => bytesOnDevice(mesh, spec, spec.sharding));
    const { memory } = run.compiled;
    // Beside the state the step gets 16 images of 28 x 28 with their labels, and a key.
    const batchParts = 'rules' in options ? 4 : 8;
    expect(memory?.arguments).toBe(part + (16 * (28 * 28 * 1 + 10) * 4) / batchParts + 8);
    // All but the metrics takes the memory of the state.
    expect(memory?.aliased).toBe(part);
    // What doesn't divide, and scalars, are all that isn't split.
    if (parts > 2) expect(part).toBeLessThan((1.1 * whole) / parts);
    else if (parts === 1) expect(part).toBe(whole);
    else expect(part).toBeLessThan(0.75 * whole);
  });

  test('the step has the collectives that it should, and none of the whole state', () => {
    const { collectives } = run.compiled;
    const params = [...run.state.first]
      .filter(([name]) => name.startsWith('params/'))
      .map(([, spec]) => spec);
    const largest = Math.max(...params.map((spec) => bytesOnDevice({ axes: [], size: 1 }, spec, [])));
    expect(
      only('all-reduce', collectives).length + only('reduce-scatter', collectives).length,
    ).toBeGreaterThan(0);
    const gathers = only('all-gather', collectives);
    if (parts === 1) expect(gathers).toEqual([]);
    if (parts > 2) {
      expect(gathers.reduce((count, gather) => count + gather.count, 0)).toBeGreaterThan(8);
      for (const gather of gathers) expect(gather.largest).toBeLessThanOrEqual(largest);
    }
  });
});

const meshOf = ({ mesh = [['data', 8]] }: XlaOptions) =>
  mesh.map(([name, size]) => [name, size === -1 ? 8 : size] as const);
