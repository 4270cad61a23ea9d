import { hostArray } from '../../../core/array';
import { createHooks } from '../../../core/hooks';
import { silentProgress } from '../../../core/progress';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { StepLog } from '../../../core/train/log';
import type { MetricsWriter } from '../../../core/train/metrics';
import type { Run } from '../../../core/train/run';
import { useEagerCpu } from '../../support/runtimes';

useEagerCpu();

test("the latest values are those of the latest step, even where the device's numbers arrive in another order", async () => {
  let firstArrives = () => {};
  const pending = [new Promise<void>((resolve) => (firstArrives = resolve)), Promise.resolve()];
  const toHost = async (x: tf.Tensor) => {
    const [value] = await x.data();
    await pending.shift();
    return hostArray('float32', [], [value as number]);
  };
  const written: number[] = [];
  const log = new StepLog({
    hooks: createHooks(),
    run: {} as Run,
    runtime: { toHost } as unknown as Runtime,
    writer: { write: (step: number) => void written.push(step) } as unknown as MetricsWriter,
    progress: silentProgress,
  });
  for (const step of [1, 2]) {
    log.open(step, { training_loss: tf.scalar(step) }, true);
    log.close(step);
  }
  await new Promise(setImmediate);
  expect(written).toEqual([]);
  firstArrives();
  await log.settled();
  expect(written).toEqual([1, 2]);
  expect(log.latest).toEqual({ training_loss: 2 });
});
