// The stock trainer on the eager runtimes: the original's recorded runs, and what a step leaves behind.

import { memory } from '@tensorflow/tfjs-core';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { type Plugin, registrarFor } from '../../../core/plugin';
import type { Jitted, JitOptions, Runtime } from '../../../core/runtime';
import tfjs from '../../../plugins/tfjs';
import { expectCase, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

const container = Container.create();
const registry = new Registry();
(tfjs as Plugin).register?.(registrarFor(tfjs, registry, container));

/** The runtime, with a count of what there is before each training step. */
function counting(runtime: Runtime): { readonly runtime: Runtime; readonly counts: readonly Count[] } {
  const counts: Count[] = [];
  const jit = <Args extends readonly unknown[], Out>(
    fn: (...args: Args) => Out,
    options: JitOptions,
  ): Jitted<Args, Out> => {
    const own = runtime.jit(fn, options);
    if (options.name !== 'train step') return own;
    const call = (...args: Args) => {
      const { numTensors, numDataBuffers, numBytes } = memory();
      counts.push({ numTensors, numDataBuffers, numBytes });
      return own(...args);
    };
    return Object.assign(call, { programs: own.programs, compile: own.compile, trace: own.trace });
  };
  return { runtime: Object.assign(Object.create(runtime) as Runtime, { jit }), counts };
}

interface Count {
  readonly numTensors: number;
  readonly numDataBuffers: number;
  readonly numBytes: number;
}

/** Those without bfloat16, which eager runtimes don't have. */
const short = ['train_vit_scan_dropout', 'train_vit_frozen', 'train_gsam_default'];
const long = ['train_vit_softmax_f32', 'train_vit_dropout', 'train_vit_sigmoid_mixup'];

describe.each(['wasm', 'cpu'])('%s', (name) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await registry.create(container, 'runtime', name, {}, 'runtime')({});
  });
  afterAll(() => runtime.dispose());

  test.each(name === 'wasm' ? [...short, ...long] : short)('%s', async (folder) => {
    const golden = await readCase(folder);
    const counted = counting(runtime);
    expectCase(await trainCase(counted.runtime, golden), golden);
    // The first steps' metrics are still on their way to the host when the next ones begin.
    const [first, ...later] = counted.counts.slice(2);
    expect(later.length).toBeGreaterThan(1);
    for (const count of later) expect(count).toEqual(first);
  });
});
