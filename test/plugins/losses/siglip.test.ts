// The sigmoid loss in parts, over eight devices: the numbers of the whole one, and no device with all similarities.

import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { type Compiled, ShardingLeaf, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { siglipLoss, type SiglipInputs } from '../../../plugins/losses';
import { XlaRuntime } from '../../../plugins/xla';
import { fetchAll, onRuntimes, sendAll } from '../../support/runtimes';

const [batch, width, parts] = [64, 8, 8];

const embeddings = (phase: number): HostArray => {
  const values = Array.from(
    { length: batch * width },
    (_, i) => Math.sin(phase + i * (i % 7)) / Math.sqrt(width),
  );
  return hostArray('float32', [batch, width], values);
};
const scalar = (value: number) => hostArray('float32', [1], [value]);
const arrays = { zimg: embeddings(0), ztxt: embeddings(1), t: scalar(10), b: scalar(-3) };

type Named = Record<string, tf.Tensor>;

const lossAndGradients = (parts: number) => (inputs: Named) => {
  const named = Object.entries(inputs);
  const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) =>
    siglipLoss(Object.fromEntries(named.map(([name], i) => [name, values[i]])) as unknown as SiglipInputs, {
      parts,
    }),
  )(named.map(([, value]) => value));
  return {
    loss: value,
    ...Object.fromEntries(named.map(([name], i) => [`grad/${name}`, grads[i] as tf.Tensor])),
  };
};

function expectClose(got: ReadonlyMap<string, HostArray>, want: ReadonlyMap<string, HostArray>) {
  for (const [name, { data }] of want) {
    const scale = Math.max(...Array.from(data, Math.abs));
    const off = Math.max(
      ...Array.from(data, (value, i) => Math.abs(value - (got.get(name)?.data[i] as number))),
    );
    expect([name, off / scale]).toEqual([name, expect.closeTo(0, 6)]);
    expect(off).toBeLessThan(1e-6 * Math.max(1, scale));
  }
}

describe('one device', () => {
  onRuntimes((use) => {
    test('the loss and its gradients are the same in any number of parts', async () => {
      const inParts = async (parts: number) =>
        fetchAll(
          use.runtime,
          use.runtime.jit(lossAndGradients(parts), { name: `in ${parts}` })(
            sendAll(use.runtime, arrays) as Named,
          ),
        );
      const whole = await inParts(1);
      for (const parts of [2, 8]) expectClose(await inParts(parts), whole);
    });

    test('parts that do not divide the batch are an error', () => {
      const inputs = sendAll(use.runtime, arrays) as Named;
      expect(() => use.runtime.jit(lossAndGradients(3), { name: 'in 3' })(inputs)).toThrow(
        /batch of 64 into 3 equal parts/,
      );
    });
  });
});

describe('eight devices', () => {
  let runtime: XlaRuntime;
  beforeAll(async () => {
    runtime = await XlaRuntime.create({ platform: 'cpu', devices: parts, mesh: [['data', parts]] });
  });
  afterAll(() => runtime.dispose());

  test('the same numbers', async () => {
    const run = async (parts: number) => {
      const sent = Object.fromEntries(
        Object.entries(arrays).map(([name, array]) => [
          name,
          runtime.toDevice(array, sizeOf(array.shape) > 1 ? ['data'] : []),
        ]),
      );
      return fetchAll(runtime, runtime.jit(lossAndGradients(parts), { name: `over ${parts}` })(sent));
    };
    expectClose(await run(parts), await run(1));
  });

  test('less memory, and no device has the embeddings of all', () => {
    const [batch, width] = [2048, 16];
    const split = new ShardingLeaf(['data']);
    const z = new TensorSpec('float32', [batch, width], ['data']);
    const one = new TensorSpec('float32', [1]);
    const compile = (parts: number): Compiled =>
      runtime
        .jit(lossAndGradients(parts), {
          name: `of ${parts}`,
          outShardings: { 'grad/zimg': split, 'grad/ztxt': split },
        })
        .compile({ zimg: z, ztxt: z, t: one, b: one } as never);
    const [whole, inParts] = [compile(1), compile(parts)];
    const share = batch / parts;
    expect(whole.memory?.temporaries).toBeGreaterThan(4 * share * batch);
    expect(inParts.memory?.temporaries).toBeLessThan(4 * share * batch);
    expect(inParts.collectives?.map(({ kind }) => kind)).not.toContain('all-gather');
  });
});
