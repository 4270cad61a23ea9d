import type { z } from 'zod';
import { type HostArray, hostArray } from '../../../core/array';
import type { Batch, Loss, Params, Schedule } from '../../../core/extensions';
import { Scope } from '../../../core/layers/scope';
import { createHooks, type LossFn, type StepContext } from '../../../core/hooks';
import * as tf from '../../../core/tensor';
import { valueAndGrad } from '../../../core/train/gradients';
import type { Run } from '../../../core/train/run';
import { norm } from '../../../core/train/vectors';
import type { NestedRecord } from '../../../core/tree';
import { sigmoidXent, softmaxXent } from '../../../plugins/losses';
import { vit } from '../../../plugins/vit/model';
import { vitOptions } from '../../../plugins/vit/options';
import gsam from '../../../proj/gsam';
import { fetchAll, onRuntimes, sendAll, toHostArrays, useEagerCpu } from '../../support/runtimes';
import { arraysUnder, expectCase, goldenCases, readCase } from '../../support/golden';

type Options = z.input<NonNullable<typeof gsam.options>>;
const constant: Schedule = { at: () => 1, traced: () => tf.scalar(1) };

interface Setting {
  readonly lr: number;
  readonly schedules?: readonly Schedule[];
}

function gradientFnOf(options: Options, { lr, schedules = [constant] }: Setting) {
  const hooks = createHooks();
  gsam.apply?.(hooks, gsam.options?.parse(options) as never);
  const run = { config: { lr }, length: { total_steps: 10 }, update: { schedules } } as unknown as Run;
  const stock = (loss: LossFn, params: Params, batch: Batch, context: StepContext) =>
    valueAndGrad((p) => loss(p, batch, context), params);
  return hooks.gradients.call(stock, run);
}
const at = (step: number) => ({ step: tf.scalar(step, 'int32') }) as StepContext;

const losses: Record<string, Loss> = {
  sigmoid_xent: sigmoidXent,
  softmax_xent: softmaxXent({ kl: false, axis: -1 }),
};
type Model = (params: Params, image: tf.Tensor) => tf.Tensor;

/** dense, tanh, dense on the flattened image. */
const mlp: Model = (params, image) => {
  const dense = (x: tf.Tensor, name: string) => {
    const { kernel, bias } = params[name] as { kernel: tf.Tensor; bias: tf.Tensor };
    return tf.add(tf.matMul(x, kernel), bias);
  };
  return dense(tf.tanh(dense(tf.reshape(image, [image.shape[0] as number, -1]), 'Dense_0')), 'head');
};

const vitWith = (args: object): Model => {
  const model = vit(vitOptions.parse(args));
  return (params, image) =>
    model.apply(Scope.reading(params), { image }, { train: true }).output as tf.Tensor;
};

describe('golden: gradients', () => {
  onRuntimes((use, kind) => {
    // Compiling the ViT takes seconds, and its variants differ in what the small model has too.
    const skipped = kind === 'xla' ? /^gsam_vit_(?!default|adaptive_min_f)/ : /^$/;
    const cases = goldenCases(
      ({ name, folder }) => name === 'proj/gsam/gsam_gradient' && !skipped.test(folder),
    );
    test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
      const golden = await readCase(folder);
      const {
        model,
        model_args,
        loss: lossName,
        lr,
        ...options
      } = golden.args as unknown as Options & { model: string; model_args: object; loss: string; lr: number };
      const logitsOf = model === 'mlp' ? mlp : vitWith(model_args);
      const loss: LossFn = (params, { image, labels }) => ({
        loss: (losses[lossName] as Loss)({
          logits: logitsOf(params, image as tf.Tensor),
          labels: labels as tf.Tensor,
        }),
      });
      const gradients = gradientFnOf(options, { lr });
      const { image, labels } = Object.fromEntries(golden.inputs) as Record<string, HostArray>;
      const compiled = use.runtime.jit(
        (params: Params, batch: Batch, step: tf.Tensor) => {
          const { loss: value, grads } = gradients(loss, params, batch, { step } as StepContext);
          return { loss: value, grad: grads };
        },
        { name: folder },
      );
      const got = compiled(
        sendAll(use.runtime, arraysUnder(golden.inputs, 'params')),
        sendAll(use.runtime, { image, labels } as NestedRecord<HostArray>) as Batch,
        use.runtime.toDevice(hostArray('int32', [], [0])),
      );
      expect(expectCase(await fetchAll(use.runtime, got), golden)).toBeLessThan(1e-5);
    });
  });
});

describe('eager', () => {
  useEagerCpu();

  /** f(w) = sum of a w^2 / 2, whose gradient is a w. */
  const bowl: LossFn = (params) => {
    const { x, y } = params as { x: tf.Tensor; y: tf.Tensor };
    return { loss: tf.add(tf.div(tf.sum(tf.square(x)), 2), tf.mul(5, tf.sum(tf.square(y)))) };
  };
  const start = (): Params => ({ x: tf.tensor([3]), y: tf.tensor([0.4]) });
  const arrays = (tree: Params) => [...toHostArrays(tree).values()].map(({ data }) => data[0] as number);
  const sam = { rho_max: 0.5, rho_min: 0.5, alpha: 0 };

  test('SAM is the gradient at w + rho g / |g|', () => {
    const { loss, grads } = gradientFnOf(sam, { lr: 0.1 })(bowl, start(), {}, at(0));
    // g = (3, 4), so that w + 0.5 g / 5 = (3.3, 0.8), where the gradient is (3.3, 8).
    expect(loss.dataSync()[0]).toBeCloseTo(4.5 + 0.8, 5);
    expect(arrays(grads)[0]).toBeCloseTo(3.3, 5);
    expect(arrays(grads)[1]).toBeCloseTo(8, 5);
  });

  test('what alpha adds is orthogonal to the gradient that is descended on', () => {
    for (const minimize_fp of [true, false]) {
      const of = (alpha: number) =>
        gradientFnOf({ ...sam, alpha, minimize_fp }, { lr: 0.1 })(bowl, start(), {}, at(0)).grads;
      const [plain, more] = [of(0), of(0.7)].map(arrays) as [number[], number[]];
      const added = more.map((value, i) => value - (plain[i] as number));
      expect(Math.hypot(...added)).toBeGreaterThan(0.1);
      expect(plain.reduce((sum, value, i) => sum + value * (added[i] as number), 0)).toBeCloseTo(0, 3);
    }
  });

  test('rho follows the learning rate of the step, counted from 1, between lr_min and lr_max', () => {
    const linear: Schedule = {
      at: (step) => 1 - 0.08 * step,
      traced: (step) => tf.sub(1, tf.mul(0.08, tf.cast(step, 'float32'))),
    };
    const gradients = gradientFnOf(
      { rho_max: 0.6, rho_min: 0.1, alpha: 0.5 },
      { lr: 3, schedules: [linear] },
    );
    const rhoAt = (step: number) => gradients(bowl, start(), {}, at(step)).metrics?.gsam_rho?.dataSync()[0];
    expect(rhoAt(9)).toBeCloseTo(0.1, 6);
    expect(rhoAt(-1)).toBeCloseTo(0.6, 6);
    expect(rhoAt(4)).toBeCloseTo(0.35, 6);
  });

  test('the surrogate gap is what the perturbation adds to the loss', () => {
    const { metrics } = gradientFnOf(sam, { lr: 0.1 })(bowl, start(), {}, at(0));
    expect(metrics?.gsam_gap?.dataSync()[0]).toBeCloseTo(3.3 ** 2 / 2 + 5 * 0.8 ** 2 - 5.3, 4);
  });

  test('one schedule only', () => {
    expect(() => gradientFnOf(sam, { lr: 1, schedules: [constant, constant] })).toThrow(
      /one schedule, the config has 2/,
    );
    expect(() => gsam.options?.parse({ rho_max: 1, rho_min: 1 })).toThrow(/alpha/);
  });

  test('norm is that of all leaves together', () => {
    expect(norm({ a: tf.tensor([3]), b: { c: tf.tensor([[0, 4]]) } }).dataSync()[0]).toBe(5);
  });
});
