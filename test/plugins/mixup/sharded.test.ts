import { hostArray } from '../../../core/array';
import type { Batch } from '../../../core/extensions';
import { createHooks, type StepContext } from '../../../core/hooks';
import * as tf from '../../../core/tensor';
import type { Run } from '../../../core/train/run';
import mixup from '../../../plugins/mixup';
import { XlaRuntime } from '../../../plugins/xla';
import { fetchAll } from '../../support/runtimes';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu', devices: 4, mesh: [['data', 4]] });
});
afterAll(() => runtime.dispose());

test('who is mixed with whom does not depend on how the batch is sharded', async () => {
  const hooks = createHooks();
  mixup.apply?.(hooks, mixup.options!.parse({ p: 0.4 }));
  const batchFn = hooks.batch.call((batch, { rng }) => ({ batch, rng }), {} as Run);
  const step = runtime.jit((rng: tf.Tensor, batch: Batch) => batchFn(batch, { rng } as StepContext).batch, {
    name: 'mixup',
  });
  const numbers = (shape: number[], size: number) =>
    hostArray(
      'float32',
      shape,
      Array.from({ length: size }, (_, i) => Math.sin(i)),
    );
  const arrays = { image: numbers([8, 3, 3, 1], 72), labels: numbers([8, 5], 40) };

  const results = await Promise.all(
    [[], ['data']].map((sharding) => {
      const key = runtime.toDevice(tf.random.keyArray(tf.random.key(3)));
      const batch = {
        image: runtime.toDevice(arrays.image, sharding),
        labels: runtime.toDevice(arrays.labels, sharding),
      };
      return fetchAll(runtime, step(key, batch));
    }),
  );
  const [replicated, sharded] = results.map((result) =>
    [...result].map(([name, { data }]) => [name, [...data]]),
  );
  expect(sharded).toEqual(replicated);
  expect(sharded).not.toEqual(Object.entries(arrays).map(([name, { data }]) => [name, [...data]]));
});
