import { openRuntime } from '../../../core/cli/runtime';
import { resolveConfig } from '../../../core/config/resolve';
import { createHooks, type StepContext, type StepFn, type TrainState } from '../../../core/hooks';
import { silentProgress } from '../../../core/progress';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { evaluate } from '../../../core/train/evaluate';
import type { Run } from '../../../core/train/run';
import { train } from '../../../core/train/trainer';
import { applyPlugins, openSession } from '../../../core/workspace/session';
import average, { averageWeight, moveTowards } from '../../../plugins/average';
import tinyMnist from '../../fixtures/configs/tiny_mnist';
import { newestContent } from '../../support/checkpoints';
import { onRuntimes, useEagerCpu } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

const run = {
  length: { total_steps: 10, batch_size: 4, data_size: 8 },
  update: { frozen: (name: string) => name === 'body/w' },
} as unknown as Run;

/** A step that adds 1 to the head, as the plugin changes it. */
function programWith(options: object) {
  const hooks = createHooks();
  average.apply?.(hooks, { decay: 0.9999, ...options });
  const step: StepFn = (state) => ({
    state: {
      ...state,
      params: { ...state.params, head: { w: tf.add((state.params.head as { w: tf.Tensor }).w, 1) } },
      step: tf.add(state.step, tf.scalar(1, 'int32')),
    },
    metrics: {},
  });
  return {
    extra: hooks.state.call(() => ({}), run),
    step: hooks.program.call(step, run),
  };
}

describe('the state', () => {
  onRuntimes((use) => {
    const averagesOver = async (steps: number, options: object) => {
      const { extra, step } = programWith(options);
      const makeParams = () => ({ head: { w: tf.zeros([]) }, body: { w: tf.zeros([]) } });
      const start = use.runtime.jit(
        () => {
          const params = makeParams();
          return { params, opt: {}, extra: extra(params), step: tf.scalar(0, 'int32') as tf.Tensor };
        },
        { name: 'state' },
      );
      const program = use.runtime.jit((state: TrainState) => step(state, {}, {} as StepContext).state, {
        name: 'step',
        donate: [0],
      });
      let state = start() as unknown as TrainState;
      const found: number[] = [];
      for (let i = 0; i < steps; i++) {
        state = program(state) as unknown as TrainState;
        const { data } = await use.runtime.toHost((state.extra.average as { head: { w: tf.Tensor } }).head.w);
        found.push(data[0] as number);
      }
      expect(Object.keys(state.extra.average as object)).toEqual(['head']);
      return found;
    };

    test('a mean of all steps at first, then an exponential average', async () => {
      const found = await averagesOver(5, { decay: 0.75 });
      [1, 1.5, 2, 2.5, 2.5 * 0.75 + 5 * 0.25].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
    });

    test('decay 1 is the mean of all steps', async () => {
      const found = await averagesOver(6, { decay: 1 });
      [1, 1.5, 2, 2.5, 3, 3.5].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
    });

    test('before its start it follows the parameters, in any unit', async () => {
      for (const start of [{ start_steps: 2 }, { start_epochs: 1 }, { start_percent: 0.2 }]) {
        const found = await averagesOver(5, { decay: 1, ...start });
        [1, 2, 3, 3.5, 4].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
      }
    });
  });
});

describe('numbers', () => {
  useEagerCpu();

  test('weight 1 gives the parameters to the bit', () => {
    const weight = averageWeight(tf.scalar(1, 'int32'), 0, 0.9999);
    const { w } = moveTowards({ w: tf.tensor([1e30, -3]) }, { w: tf.tensor([1e-7, 0.1]) }, weight);
    expect([...(w as tf.Tensor).dataSync()]).toEqual([...new Float32Array([1e-7, 0.1])]);
  });
});

describe('a run', () => {
  const session = openSession(__dirname);
  const plugins = session.plugins.map(({ plugin }) => plugin);
  const { registry, container } = session;
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime(session, { note: () => undefined });
  });
  afterAll(() => runtime.dispose());

  const test_data = {
    type: 'classification',
    data: { name: 'mnist', split: 'test' },
    pp_fn: "decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')",
    loss_name: 'softmax_xent',
    batch_size: 500,
    skip_first: true,
    log_percent: 1,
  };
  const prepare = (change: object = {}) => {
    const evals = { now: test_data, mean: { ...test_data, params: 'average' } };
    const config = { ...tinyMnist('steps=12,ckpt=4'), average: { decay: 0.8 }, evals, ...change };
    const resolved = resolveConfig(config, [], { registry, plugins });
    const hooks = createHooks();
    applyPlugins(session.plugins, resolved, hooks);
    return { config: resolved, hooks, registry, container, runtime, progress: silentProgress };
  };
  const arraysOf = async (workdir: string) => new Map((await newestContent(workdir)).arrays);

  test('its average survives a stop, and is what evaluators see, here and alone', async () => {
    const [whole, stopped] = [temporaryFolder(), temporaryFolder()];
    const { metrics } = await train({ ...prepare(), workdir: whole });
    expect(metrics['mean/loss']).not.toBe(metrics['now/loss']);

    const stop = new AbortController();
    const first = prepare({ evals: {} });
    first.hooks.data.tapPromise('test', async (batch, step) => {
      if (step === 7) stop.abort();
      return batch;
    });
    await train({ ...first, workdir: stopped, stop: stop.signal });
    await train({ ...prepare({ evals: {} }), workdir: stopped });
    const [a, b] = [await arraysOf(whole), await arraysOf(stopped)];
    expect([...a.keys()].filter((name) => name.startsWith('extra/average/'))).toHaveLength(
      [...a.keys()].filter((name) => name.startsWith('params/')).length,
    );
    expect(b).toEqual(a);

    const alone = await evaluate({ ...prepare(), checkpoint: whole });
    for (const name of ['now/loss', 'mean/loss', 'mean/prec@1'])
      expect([name, alone.metrics[name]]).toEqual([name, metrics[name]]);
  });

  test('a checkpoint without an average, and a name that nobody keeps, are errors', async () => {
    const workdir = temporaryFolder();
    await train({ ...prepare({ average: undefined, evals: {}, total_steps: 11 }), workdir });
    await expect(evaluate({ ...prepare(), checkpoint: workdir })).rejects.toThrow(/has no extra\/average\//);
    const other = prepare({ average: undefined, evals: { mean: { ...test_data, params: 'averag' } } });
    await expect(evaluate(other)).rejects.toThrow(/"averag", but no such parameters.*one of: params/s);
  });
});
