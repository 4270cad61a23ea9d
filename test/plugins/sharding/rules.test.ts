// What each rule makes of a leaf, and what is said of mistakes.

import { hostArray } from '../../../core/array';
import { Container } from '../../../core/container';
import { UserError } from '../../../core/errors';
import { Registry } from '../../../core/extensions';
import {
  batchParts,
  batchSharding,
  bytesOnDevice,
  fitAxes,
  logicalSpec,
  type Mesh,
} from '../../../core/mesh';
import { registrarFor } from '../../../core/plugin';
import { TensorSpec } from '../../../core/runtime';
import { shardingsFrom } from '../../../core/train/sharding';
import sharding from '../../../plugins/sharding';
import { XlaRuntime } from '../../../plugins/xla';

const mesh: Mesh = {
  axes: [
    ['data', 4],
    ['model', 2],
  ],
  size: 8,
};

function specOf(
  rules: string,
  shape: readonly number[],
  { on = mesh, name = 'params/w' }: { on?: Mesh; name?: string } = {},
) {
  const container = Container.create();
  const registry = new Registry();
  sharding.register?.(registrarFor(sharding, registry, container));
  const strategy = [['.*', rules]] as const;
  return shardingsFrom(strategy, { registry, container, mesh: on })(name, new TensorSpec('float32', shape));
}

function failureOf(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('no error');
}

test.each([
  ['replicate', [8, 8], [null, null]],
  // The largest dimension, the last of equal ones, that divides.
  ["fsdp('data', 0)", [8, 16], [null, 'data']],
  ["fsdp('data', 0)", [16, 8], ['data', null]],
  ["fsdp('data', 0)", [8, 8], [null, 'data']],
  ["fsdp('data', 0)", [8, 18], ['data', null]],
  ["fsdp('data', 0)", [7, 18], [null, null]],
  ["fsdp('data', 0)", [], []],
  ["fsdp(axis=['data', 'model'], min_size_to_shard_mb=0)", [16, 12], [['data', 'model'], null]],
  // At most so many MiB: 1024 * 256 floats are one.
  ["fsdp('data', 1)", [1024, 256], [null, null]],
  ["fsdp('data', 1)", [1024, 260], ['data', null]],
  ["fsdp('data')", [1024, 1024], [null, null]],
  ["fsdp('data')", [1024, 1028], [null, 'data']],
  ["shard_dim('model', 0)", [4, 6], ['model', null]],
  ["shard_dim('model', -1)", [4, 6], [null, 'model']],
  ["shard_dim('model', 2, True)", [4, 6], [null, null]],
  ["shard_dim('model', -1)|fsdp('data', 0)", [4, 16], ['data', 'model']],
  ['logical_partitioning', [4, 6], [null, null]],
])('%s of %j is %j', (rules, shape, spec) => {
  expect(specOf(rules, shape)).toEqual(spec);
});

test('logical names', () => {
  const on: Mesh = {
    ...mesh,
    rules: [
      ['mlp', 'model'],
      ['embed', 'model'],
      ['embed', 'data'],
      ['heads', null],
    ],
  };
  expect(specOf("logical_partitioning('embed', 'mlp')", [4, 6], { on })).toEqual(['data', 'model']);
  expect(specOf("logical_partitioning(None, 'mlp')", [4, 6], { on })).toEqual([null, 'model']);
  expect(specOf("logical_partitioning('heads', 'other')", [4, 6], { on })).toEqual([null, null]);
  // The last name is the last dimension's: a stack of layers has one more in front.
  expect(specOf("logical_partitioning('embed', 'mlp')", [12, 4, 6], { on })).toEqual([null, 'data', 'model']);
  expect(specOf("logical_partitioning('mlp')|fsdp('data', 0)", [4, 6], { on })).toEqual(['data', 'model']);
  expect(logicalSpec(on, ['data', null, 'mlp'])).toEqual(['data', null, 'model']);
});

test('the first pattern that matches a whole name counts, and none is replication', () => {
  const container = Container.create();
  const registry = new Registry();
  sharding.register?.(registrarFor(sharding, registry, container));
  const strategy = [
    ['params/head/.*', 'replicate'],
    ['params/.*|opt/.*', "fsdp('data', 0)"],
  ] as const;
  const shardings = shardingsFrom(strategy, { registry, container, mesh });
  const spec = new TensorSpec('float32', [8]);
  const names = ['params/head/bias', 'params/a', 'opt/mu/head/bias', 'extra/a'];
  expect(names.map((name) => shardings(name, spec))).toEqual([[null], ['data'], ['data'], [null]]);
});

test('batches are split over the axes of act_batch, by default all', () => {
  expect([batchSharding(mesh), batchParts(mesh)]).toEqual([[['data', 'model']], 8]);
  const on: Mesh = { ...mesh, rules: [['act_batch', 'data']] };
  expect([batchSharding(on), batchParts(on)]).toEqual([['data'], 4]);
  const none: Mesh = { ...mesh, rules: [['act_batch', null]] };
  expect([batchSharding(none), batchParts(none)]).toEqual([[null], 1]);
  expect(bytesOnDevice(mesh, { dtype: 'bfloat16', shape: [8, 4] }, ['data', 'model'])).toBe(8);
});

describe('mistakes', () => {
  test.each([
    [
      "fsdp('dat', 0)",
      [8],
      'mesh/unknown-axis',
      'mesh axis "dat", and the mesh is {data: 4, model: 2}. Did you mean "data"?',
    ],
    [
      "shard_dim('fsdp', 0)",
      [8],
      'mesh/unknown-axis',
      "The rule shard_dim('fsdp', 0) for params/w names the mesh axis",
    ],
    [
      "shard_dim('data', 0)|shard_dim('model', 0)",
      [8],
      'sharding/already-sharded',
      'whose dimension 0 an earlier rule has split already: (data)',
    ],
    [
      "shard_dim('data', 0)|replicate",
      [8],
      'sharding/already-sharded',
      'The rule replicate was applied to params/w',
    ],
    [
      "shard_dim('data', 0)|fsdp('data', 0)",
      [8, 8],
      'mesh/axis-twice',
      'sharding_strategy.0 for params/w splits two dimensions over the mesh axis "data": (data, data)',
    ],
    [
      "shard_dim('data', 0)",
      [6],
      'mesh/indivisible',
      'params/w of shape [6] can\'t be split: dimension 0 has 6 elements, and "data" 4 devices',
    ],
    // As in the original, -rank is none of the dimensions.
    [
      "shard_dim('data', -2)",
      [8, 8],
      'sharding/no-dimension',
      'of shape [8, 8], which has no such dimension',
    ],
    ["shard_dim('data', 0)", [], 'sharding/no-dimension', 'of shape [], which has no such dimension'],
    ["logical_partitioning('a', 'b')", [8], 'sharding/too-many-names', 'names more dimensions'],
  ])('%s of %j', (rules, shape, code, text) => {
    // prettier-ignore
    const error = failureOf(() => specOf(rules, shape));
    expect(error.code).toBe(code);
    expect(error.what).toContain(text);
    expect(error.fix).not.toBe('');
  });

  test('a pattern that is no regular expression', () => {
    const container = Container.create();
    const registry = new Registry();
    const error = failureOf(() => shardingsFrom([['(', 'replicate']], { registry, container, mesh }));
    expect(error.what).toContain('The pattern "(" in sharding_strategy.0');
  });

  test.each([
    [[['data', 3]], 8, 'The mesh {data: 3} takes 3 devices, and there are 8.', '`--devices 3`'],
    [
      [
        ['data', 4],
        ['model', 4],
      ],
      1,
      'takes 16 devices, and there is 1.',
      '`--devices 16`',
    ],
    [
      [
        ['data', -1],
        ['model', 3],
      ],
      8,
      '8 is no multiple of 3',
      '`--devices 9`',
    ],
    [[['data', 0]], 8, 'The mesh axis "data" has the size 0', '-1'],
    [
      [
        ['data', -1],
        ['model', -1],
      ],
      8,
      '"data" and "model" are both -1',
      'all but one',
    ],
    [
      [
        ['data', 2],
        ['data', 4],
      ],
      8,
      'two axes named "data"',
      'different names',
    ],
  ] as const)('the mesh %j on %d devices', (axes, devices, what, fix) => {
    // prettier-ignore
    const error = failureOf(() => fitAxes(axes, devices));
    expect(error.what).toContain(what);
    expect(error.fix).toContain(fix);
  });

  test('rules for axes that the mesh does not have', async () => {
    await expect(
      XlaRuntime.create({ platform: 'cpu', devices: 2, rules: [['act_batch', 'fsdp']] }),
    ).rejects.toThrow('sharding_rules for "act_batch" names the mesh axis "fsdp", and the mesh is {data: 2}');
  });

  test('an array that the mesh does not divide', async () => {
    const runtime = await XlaRuntime.create({ platform: 'cpu', devices: 4 });
    const odd = hostArray('float32', [6], new Float32Array(6));
    expect(() => runtime.toDevice(odd, batchSharding(runtime.mesh))).toThrow('has 6 elements');
    await runtime.dispose();
  });
});
