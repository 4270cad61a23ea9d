// Checkpoints that were saved on so many devices are restored on so many others, to the same bits, part by part.

import * as path from 'node:path';
import { bytesOf, type HostArray, hostArray, sizeOf } from '../../../core/array';
import { CheckpointStore, findCheckpoint } from '../../../core/checkpoint/store';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import type { TrainState } from '../../../core/hooks';
import { initParams } from '../../../core/layers/params';
import { normal } from '../../../core/layers/init';
import { registrarFor } from '../../../core/plugin';
import { ShardingLeaf, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { shardingsFrom } from '../../../core/train/sharding';
import { restoreState, stateToHost } from '../../../core/train/state';
import { namedLeaves } from '../../../core/tree';
import sharding from '../../../plugins/sharding';
import { type XlaOptions, XlaRuntime } from '../../../plugins/xla';
import { newestContent } from '../../support/checkpoints';
import { temporaryFolder } from '../../support/temporary';

type Strategy = readonly (readonly [string, string])[];
interface Layout {
  readonly name: string;
  readonly options: XlaOptions;
  readonly strategy: Strategy;
  /** What a device has of `params/a/kernel`. */
  readonly spec: readonly unknown[];
}

const layouts = {
  one: { name: '1', options: { devices: 1 }, strategy: [], spec: [] },
  eight: {
    name: '8, fsdp',
    options: { devices: 8 },
    strategy: [['.*', "fsdp('data', min_size_to_shard_mb=0)"]],
    spec: [null, 'data'],
  },
  grid: {
    name: '2 x 4, tensors and fsdp',
    options: {
      devices: 8,
      mesh: [
        ['model', 2],
        ['fsdp', 4],
      ],
    },
    strategy: [
      ['.*/kernel', "shard_dim('model', 0)|fsdp('fsdp', 0)"],
      ['.*', "fsdp('fsdp', 0)"],
    ],
    spec: ['model', 'fsdp'],
  },
} satisfies Record<string, Layout>;

const shapes = {
  'params/a/kernel': ['float32', [24, 40]],
  'params/a/bias': ['float32', [40]],
  'params/odd': ['float32', [3, 5]],
  'opt/mu/a/kernel': ['bfloat16', [24, 40]],
  'opt/count': ['int32', []],
  'extra/codes': ['int32', [16, 8, 2]],
  step: ['int32', []],
} as const;

/** Every bit pattern counts, NaNs too. */
const arrays = Object.entries(shapes).map(([name, [dtype, shape]], i) => {
  const bits = Uint8Array.from({ length: sizeOf(shape) * 4 }, (_, k) => (k * 37 + i * 11) % 256);
  const values =
    dtype === 'bfloat16' ? new Uint16Array(bits.buffer, 0, sizeOf(shape)) : new Uint32Array(bits.buffer);
  const typed = dtype === 'float32' ? new Float32Array(values.buffer) : dtype === 'int32' ? new Int32Array(values.buffer) : values; // prettier-ignore
  return [name, hostArray(dtype, shape, typed)] as const;
});

function shardingsOn(runtime: XlaRuntime, strategy: Strategy) {
  const container = Container.create();
  const registry = new Registry();
  sharding.register?.(registrarFor(sharding, registry, container));
  return shardingsFrom(strategy, { registry, container, mesh: runtime.mesh });
}

/** Restores what is in the folder, checks where it is, and saves it again. */
async function through({ options, strategy, spec }: Layout, from: string, to: string): Promise<void> {
  const runtime = await XlaRuntime.create({ platform: 'cpu', ...options });
  try {
    const shardings = shardingsOn(runtime, strategy);
    const checkpoint = await findCheckpoint(from, () => undefined);
    const specs = Object.entries(shapes).map(([name, [dtype, shape]]) => {
      return [name, new TensorSpec(dtype, shape, shardings(name, new TensorSpec(dtype, shape)))] as const;
    });
    const state: TrainState = await restoreState(runtime, specs, checkpoint);
    await checkpoint.close();
    const kernel = (state.params as { a: { kernel: tf.Tensor } }).a.kernel;
    expect(runtime.specOf(kernel).sharding).toEqual(spec);
    for (const [name, tensor] of namedLeaves<tf.Tensor>({ ...state })) {
      const asked = specs.find(([known]) => known === name)![1].sharding;
      const trimmed = asked.slice(0, asked.findLastIndex((entry) => entry !== null) + 1);
      expect(runtime.specOf(tensor).sharding).toEqual(trimmed);
    }
    const store = new CheckpointStore(to, () => undefined);
    const saved = await stateToHost(runtime, state);
    store.save({ step: 3, keep: true, arrays: saved, meta: {} }, async () => undefined);
    await store.finish();
  } finally {
    await runtime.dispose();
  }
}

async function contentOf(folder: string): Promise<[string, string, readonly number[], string][]> {
  const { arrays: found } = await newestContent(folder);
  return found
    .map(([name, array]): [string, string, readonly number[], string] => [
      name,
      array.dtype,
      array.shape,
      Buffer.from(bytesOf(array)).toString('hex'),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

test.each([
  ['8 -> 1 -> 8', [layouts.eight, layouts.one, layouts.eight]],
  ['8 -> 2 x 4 with another strategy -> 1', [layouts.eight, layouts.grid, layouts.one]],
] as const)('%s', async (_name, chain) => {
  const folder = temporaryFolder();
  const at = (i: number) => path.join(folder, String(i));
  const first = new CheckpointStore(at(0), () => undefined);
  first.save({ step: 3, keep: true, arrays, meta: {} }, async () => undefined);
  await first.finish();
  const before = await contentOf(at(0));
  for (const [i, layout] of chain.entries()) {
    await through(layout, at(i), at(i + 1));
    expect(await contentOf(at(i + 1))).toEqual(before);
  }
});

test('initial values are made in parts, and are those of one device', async () => {
  const declaration = {
    name: 'w',
    spec: new TensorSpec('float32', [512, 256]),
    init: normal(0.02),
    fold: 7,
    layers: [],
    stream: 'params' as const,
  };
  const whole = 512 * 256 * 4;
  const valueOn = async (devices: number, spec: readonly (string | null)[]): Promise<HostArray> => {
    const runtime = await XlaRuntime.create({ platform: 'cpu', devices });
    try {
      const made = initParams(runtime, [declaration], tf.random.key(5), () => spec);
      if (devices > 1) {
        // What each device needs to make its part: never the whole.
        const program = runtime.jit((key: tf.Tensor) => declaration.init(key, [512, 256]), {
          name: 'init',
          outShardings: new ShardingLeaf(spec),
        });
        const { memory } = program.compile(new TensorSpec('int32', [2]));
        expect(memory?.outputs).toBe(whole / devices);
        expect(memory!.temporaries).toBeLessThan(whole / 2);
      }
      return await runtime.toHost(made.w as tf.Tensor);
    } finally {
      await runtime.dispose();
    }
  };
  const one = await valueOn(1, []);
  expect(await valueOn(8, [null, 'data'])).toEqual(one);
});
