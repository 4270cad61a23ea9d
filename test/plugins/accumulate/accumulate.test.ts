import type { Batch, Params } from '../../../core/extensions';
import type { GradientFn, LossFn, StepContext } from '../../../core/hooks';
import * as tf from '../../../core/tensor';
import { valueAndGrad } from '../../../core/train/gradients';
import { accumulateGradient } from '../../../plugins/accumulate';
import { onRuntimes } from '../../support/runtimes';

const stock: GradientFn = (loss, params, batch, context) =>
  valueAndGrad((p) => loss(p, batch, context), params);

/** Mean of (x w)^2; tells the mean of x, and counts its calls in `extra`. */
const loss: LossFn = (params, batch, { extra }) => ({
  loss: tf.mean(tf.square(tf.mul(batch.x as tf.Tensor, params.w as tf.Tensor))),
  metrics: { x: tf.mean(batch.x as tf.Tensor) },
  extra: { calls: tf.add(extra.calls as tf.Tensor, 1) },
});

onRuntimes((use) => {
  it.each([1, 2, 3, 6])('%d parts give the loss, gradient and metrics of the whole batch', async (steps) => {
    const { runtime } = use;
    const f = (params: Params, batch: Batch, rng: tf.Tensor, calls: tf.Tensor) => {
      const context = { rng, extra: { calls } } as unknown as StepContext;
      const {
        loss: value,
        grads,
        metrics,
        extra,
      } = accumulateGradient(stock, steps)(loss, params, batch, context);
      return { value, w: grads.w as tf.Tensor, x: metrics?.x as tf.Tensor, calls: extra?.calls as tf.Tensor };
    };
    const got = runtime.jit(f, { name: 'accumulated' })(
      { w: tf.tensor([2], [1], 'float32') },
      { x: tf.tensor([1, 2, 3, 4, 5, 6], [6, 1], 'float32') },
      tf.tensor([0, 7], [2], 'int32'),
      tf.scalar(0),
    );
    const numbers = Object.fromEntries(
      await Promise.all(
        Object.entries(got).map(async ([name, x]) => [name, (await runtime.toHost(x)).data[0]] as const),
      ),
    );
    expect(numbers.value).toBeCloseTo((4 * 91) / 6, 3);
    expect(numbers.w).toBeCloseTo((4 * 91) / 6, 3);
    expect(numbers.x).toBeCloseTo(3.5, 5);
    expect(numbers.calls).toBe(steps);
  });
});
