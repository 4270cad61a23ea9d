import { Container } from '../../../core/container';
import type { Batch } from '../../../core/extensions';
import { createHooks, type StepContext } from '../../../core/hooks';
import * as tf from '../../../core/tensor';
import type { Run } from '../../../core/train/run';
import mixup, { drawWeight, mix } from '../../../plugins/mixup';
import { fetchAll, onRuntimes, sendAll, toTensor, useEagerCpu } from '../../support/runtimes';
import { expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';

type Named = Record<string, tf.Tensor>;

const keyOf = (seed: number) => toTensor(tf.random.keyArray(tf.random.key(seed)));

function batchFnWith(p: number, keys?: string[]) {
  const hooks = createHooks();
  mixup.apply?.(hooks, mixup.options!.parse({ p, keys }));
  return hooks.batch.call((batch, { rng }) => ({ batch, rng }), { container: Container.create() } as Run);
}
const contextOf = (seed: number) => ({ rng: keyOf(seed) }) as StepContext;
const batch = (): Batch => ({
  image: tf.reshape(tf.range(0, 12), [3, 2, 2, 1]),
  labels: tf.tensor([
    [1, 0],
    [0, 1],
    [0.5, 0.5],
  ]),
  id: tf.tensor([7, 8, 9], [3], 'int32'),
});

describe('golden', () => {
  onRuntimes((use) => {
    const foldersOf = (kindWanted: string, wanted: string) =>
      goldenCases(({ kind, name }) => kind === kindWanted && name === wanted).map(({ folder }) => folder);
    const outputsOf = async (
      { folder, args, inputs }: GoldenCase,
      f: (key: tf.Tensor, inputs: Batch) => Named,
    ) => {
      const key = use.runtime.toDevice(tf.random.keyArray(tf.random.key((args.seed as number) ?? 0)));
      const sent = sendAll(use.runtime, Object.fromEntries(inputs)) as Batch;
      return fetchAll(use.runtime, use.runtime.jit(f, { name: folder })(key, sent));
    };

    test.each(foldersOf('random', 'mixup'))(
      'the weight, and the key that the step goes on with: %s',
      async (folder) => {
        const golden = await readCase(folder);
        const p = golden.args.p as number;
        const got = await outputsOf(golden, (key) => {
          const [next, subkey] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
          return { a: drawWeight(subkey, p), rng: next };
        });
        expectCase(got, golden);
      },
    );

    test.each(foldersOf('loss', 'mixup'))('%s', async (folder) => {
      const golden = await readCase(folder);
      const got = await outputsOf(golden, (_key, { a, ...things }) => {
        const mixed = Object.entries(things).map(([name, x]) => [name, mix(a as tf.Tensor, x)] as const);
        return Object.fromEntries(mixed);
      });
      expectCase(got, golden);
    });

    test.each(foldersOf('loss', 'mixup:key'))('%s', async (folder) => {
      const golden = await readCase(folder);
      const got = await outputsOf(golden, (key, inputs) => {
        const { batch, rng } = batchFnWith(golden.args.p as number)(inputs, { rng: key } as StepContext);
        return { ...batch, rng };
      });
      expectCase(got, golden);
    });
  });
});

describe('eager', () => {
  useEagerCpu();

  test('each example with the one before it', () => {
    const mixed = mix(tf.scalar(0.75), tf.tensor([[0], [4], [8]]));
    expect([...mixed.dataSync()]).toEqual([2, 3, 7]);
    expect([...mix(tf.scalar(0.75), tf.tensor([4])).dataSync()]).toEqual([4]);
  });

  test('images and labels with one weight, and nothing else', () => {
    const { batch: mixed, rng } = batchFnWith(0.2)(batch(), contextOf(3));
    const [next, key] = tf.random.split(keyOf(3)) as [tf.Tensor, tf.Tensor];
    const a = drawWeight(key, 0.2);
    expect([...rng.dataSync()]).toEqual([...next.dataSync()]);
    for (const name of ['image', 'labels']) {
      const x = batch()[name] as tf.Tensor;
      expect([...(mixed[name] as tf.Tensor).dataSync()]).toEqual([...mix(a, x).dataSync()]);
    }
    expect([...(mixed.id as tf.Tensor).dataSync()]).toEqual([7, 8, 9]);
  });

  test('other keys, if they are named', () => {
    const { batch: mixed } = batchFnWith(0.2, ['image'])(batch(), contextOf(3));
    const values = (x: tf.Tensor | undefined) => [...(x as tf.Tensor).dataSync()];
    expect(values(mixed.labels)).toEqual(values(batch().labels));
    expect(values(mixed.image)).not.toEqual(values(batch().image));
    expect(() => batchFnWith(0.2, ['teacher'])(batch(), contextOf(3))).toThrow(/mixes the batch's "teacher"/);
  });

  test('weights are at least a half, and follow Beta(p, p)', () => {
    const p = 0.5;
    const weights = Array.from(
      { length: 400 },
      (_, seed) => drawWeight(keyOf(seed), p).dataSync()[0] as number,
    );
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(0.5);
    // The folded arcsine distribution: P(a < 3/4) = 2 (2/pi asin(sqrt(3/4)) - 1/2) = 1/3.
    const below = weights.filter((a) => a < 0.75).length / weights.length;
    expect(Math.abs(below - 1 / 3)).toBeLessThan(0.1);
  });

  test('p = 0 is off', () => {
    const hooks = createHooks();
    mixup.apply?.(hooks, mixup.options!.parse({ p: 0 }));
    expect(hooks.batch.isUsed()).toBe(false);
  });

  test('errors say what to change in the preprocessing', () => {
    const apply = (bad: Batch) => () => batchFnWith(0.2)(bad, contextOf(0));
    const { image, labels, id } = batch() as { [name: string]: tf.Tensor };
    expect(apply({ image } as Batch)).toThrow(/"labels", but the batch has only: image/);
    expect(apply({ image, labels: id } as Batch)).toThrow(/"labels", but it is int32/);
    expect(apply({ image, labels } as Batch)).not.toThrow();
  });
});
