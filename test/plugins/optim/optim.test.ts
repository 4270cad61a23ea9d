import type { HostArray } from '../../../core/array';
import { type Config, configSchema } from '../../../core/config/schema';
import { Container } from '../../../core/container';
import { type Params, Registry, type RunLength } from '../../../core/extensions';
import { parseOptions } from '../../../core/options';
import type { ParityCase, ParityServices } from '../../../core/parity';
import { optimizerRunner } from '../../../core/parity/kinds/optimizer';
import { registrarFor } from '../../../core/plugin';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { tokens, type UpdateRule } from '../../../core/train/run';
import { mapTree, namedLeaves, nest, type NestedRecord, zipNamed } from '../../../core/tree';
import optim, { clipByPerExampleGlobalNorm } from '../../../plugins/optim';
import schedules from '../../../plugins/schedules';
import { XlaRuntime } from '../../../plugins/xla';
import { onRuntimes, type TestRuntime, useEagerCpu } from '../../support/runtimes';
import { arraysUnder, expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';

const container = Container.create();
const registry = new Registry();
container.provide(tokens.registry, registry);
for (const plugin of [schedules, optim]) plugin.register?.(registrarFor(plugin, registry, container));

function configOf(part: object): Config {
  const needed = { model_name: 'vit', input: { data: { name: 'mnist' }, batch_size: 8 } };
  return parseOptions(configSchema, { ...needed, ...part }, '') as Config;
}

const run = { total_steps: 10, batch_size: 8, data_size: 40 };

function ruleOf(part: object, params: NestedRecord<tf.Tensor | HostArray>, length: Partial<RunLength> = {}) {
  const specs = mapTree<tf.Tensor | HostArray, TensorSpec, NestedRecord<TensorSpec>>(
    params,
    ({ shape }) => new TensorSpec('float32', shape),
  );
  return container.get(tokens.updateRule)(configOf(part), specs, { ...run, ...length });
}

function applyUpdate(rule: UpdateRule, grads: Params, state: Params, params: Params, step: tf.Tensor) {
  const next = rule.update(grads, state, params, step);
  return { params: zipNamed([params, next.updates], (p, u) => tf.add(p, u)), state: next.state };
}

/** The runner needs no more of its services than these. */
const trajectory = (runtime: TestRuntime, golden: GoldenCase) =>
  optimizerRunner(
    golden as unknown as ParityCase,
    { runtime, container } as unknown as ParityServices,
  ) as Promise<ReadonlyMap<string, HostArray>>;

describe('golden: ten steps', () => {
  onRuntimes((use) => {
    // Roundings of single ops to bfloat16 are left to bv parity: eager runtimes have none.
    const cases = goldenCases(({ name, jit }) => name === 'optax.make' && jit === true);
    test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
      const golden = await readCase(folder);
      const worst = expectCase(await trajectory(use.runtime, golden), golden);
      // Eager runtimes store bfloat16 moments as float32, which the cases' tolerances allow.
      // Another machine's sums may round a moment to the next bfloat16, once.
      const close = folder === 'opt_adafactor' ? 1e-4 : 1e-6;
      if (use.runtime.name === 'xla') expect(worst).toBeLessThan(close);
    });
  });
});

describe('errors', () => {
  useEagerCpu();

  test('what the original refuses is an error here', async () => {
    const { args, inputs, outputs } = await readCase('opt_errors');
    const results = JSON.parse(
      Buffer.from(outputs.get('result')?.data as Uint8Array).toString(),
    ) as unknown[];
    const codes = (args.configs as object[]).map((config) => {
      try {
        ruleOf(config, arraysUnder(inputs, 'params'));
        return 'ok';
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    });
    expect(codes.map((code) => code === 'ok')).toEqual(results.map((result) => result === 'ok'));
    expect(codes).toEqual([
      'optim/uncovered',
      'options/value',
      'options/unknown-key',
      'options/unknown-key',
      'options/unknown-key',
      'options/unknown-key',
      'optim/slash',
      'extension/unknown',
      'extension/unknown',
      'schedule/warmup',
      'steps/several-units',
      'optim/all-frozen',
      'ok',
    ]);
  });
});

const params = () =>
  nest<tf.Tensor>([
    ['Dense_0/bias', tf.tensor([2])],
    ['Dense_0/kernel', tf.tensor([[1]])],
    ['head/kernel', tf.tensor([[3, 4]])],
  ]);
const ones = (tree: Params): Params => mapTree(tree, (x: tf.Tensor) => tf.onesLike(x));
const adam = { optax_name: 'scale_by_adam', lr: 0.1 };

describe('state', () => {
  const names = (state: Params) => namedLeaves<tf.Tensor>(state).map(([name]) => name);

  test('is named after the transform and the parameters', () => {
    expect(names(ruleOf(adam, params()).init(params()))).toEqual([
      'scale_by_adam/count',
      'scale_by_adam/mu/Dense_0/bias',
      'scale_by_adam/mu/Dense_0/kernel',
      'scale_by_adam/mu/head/kernel',
      'scale_by_adam/nu/Dense_0/bias',
      'scale_by_adam/nu/Dense_0/kernel',
      'scale_by_adam/nu/head/kernel',
    ]);
  });

  test.each([
    'scale_by_adam',
    'scale_by_lion',
    'scale_by_rms',
    'big_vision.sgd',
    'big_vision.scale_by_adafactor',
  ])('of %s keeps its tree, and none of what is frozen', (optax_name) => {
    const config = {
      lr: 0.1,
      optax_name,
      schedule: [
        ['head/.*', { decay_type: 'cosine' }],
        ['.*', null],
      ],
    };
    const rule = ruleOf(config, params());
    const before = rule.init(params());
    const { updates, state } = rule.update(ones(params()), before, params(), tf.scalar(0, 'int32'));
    expect(names(state)).toEqual(names(before));
    expect(names(state).filter((name) => name.includes('Dense'))).toEqual([]);
    expect(names(updates)).toEqual(names(params()));
    expect(rule.frozen('Dense_0/bias')).toBe(true);
    expect(rule.frozen('head/kernel')).toBe(false);
  });

  test('of Adafactor for a matrix of 1024 x 1024 is its rows and columns', () => {
    const matrix = { kernel: tf.zeros([1024, 1024]) };
    const rule = ruleOf(
      { lr: 1, optax_name: 'big_vision.scale_by_adafactor', optax: { momentum: null } },
      matrix,
    );
    const sizes = namedLeaves<tf.Tensor>(rule.init(matrix)).map(([name, x]) => [
      name.split('/').slice(1).join('/'),
      x.size,
    ]);
    expect(sizes).toEqual([
      ['count', 1],
      ['v_col/kernel', 1024],
      ['v_row/kernel', 1024],
    ]);
  });
});

describe('updates', () => {
  const updatesOf = (config: object, step = 0) => {
    const rule = ruleOf({ optax_name: 'scale', optax: { step_size: 0.5 }, lr: 0.01, ...config }, params());
    const { updates } = rule.update(ones(params()), rule.init(params()), params(), tf.scalar(step, 'int32'));
    return Object.fromEntries(
      namedLeaves<tf.Tensor>(updates).map(([name, x]) => [
        name,
        Array.from(x.dataSync(), (v) => Number(v.toPrecision(5))),
      ]),
    );
  };

  test('rates, multipliers, decay, schedules by name, and freezing', () => {
    expect(
      updatesOf(
        {
          wd: 0.1,
          lr_mults: [['head/.*', 10]],
          wd_mults: [
            ['head/.*', 2],
            ['.*', 1],
          ],
          schedule: [
            ['.*/kernel', { decay_type: 'linear' }],
            ['.*', null],
          ],
        },
        5,
      ),
    ).toEqual({
      // -0.5 (0.01 lr_mult 0.5 g + 0.1 wd_mult p)
      'Dense_0/bias': [0],
      'Dense_0/kernel': [-0.0525],
      'head/kernel': [-0.325, -0.425],
    });
  });

  test('clipping leaves out what is frozen, and what is small', () => {
    const schedule = [
      ['.*/kernel', {}],
      ['.*', null],
    ];
    const first = (grad_clip_norm: number) => updatesOf({ grad_clip_norm, schedule })['head/kernel']?.[0];
    expect(first(1)).toBeCloseTo(-0.005 / Math.sqrt(3), 6);
    expect(first(2)).toBeCloseTo(-0.005, 6);
  });

  test('the second moment of frozen gradients is not looked at, even if they are NaN', () => {
    const rule = ruleOf(
      {
        ...adam,
        grad_clip_norm: 1,
        schedule: [
          ['head/.*', {}],
          ['.*', null],
        ],
      },
      params(),
    );
    const grads = { ...ones(params()), Dense_0: { bias: tf.tensor([NaN]), kernel: tf.tensor([[NaN]]) } };
    const { updates } = rule.update(grads, rule.init(params()), params(), tf.scalar(0, 'int32'));
    for (const [, x] of namedLeaves<tf.Tensor>(updates))
      expect(x.dataSync().every(Number.isFinite)).toBe(true);
  });
});

test('an optimizer’s options are checked', () => {
  expect(() => ruleOf({ ...adam, optax: { mu_type: 'bfloat16' } }, params())).toThrow(
    /optax.mu_type.*mu_dtype/,
  );
  expect(() => ruleOf({ ...adam, schedule: [['(', {}]] }, params())).toThrow(
    /config.schedule isn't a regular/,
  );
  expect(() => ruleOf({ ...adam, schedule: { decay_type: 3 } }, params())).toThrow(/decay_type is 3/);
});

test('per-example clipping', () => {
  // Norms 0, 5 and 1 of the examples' gradients.
  const [a, b] = clipByPerExampleGlobalNorm([tf.tensor([0, 3, 1]), tf.tensor([[0], [4], [0]])], 2.5) as [
    tf.Tensor,
    tf.Tensor,
  ];
  expect([...a.dataSync(), ...b.dataSync()].map((x) => Math.round(x * 3e5) / 1e5)).toEqual([2.5, 2]);
});

describe('xla', () => {
  let runtime: XlaRuntime;
  beforeAll(async () => {
    runtime = await XlaRuntime.create({ platform: 'cpu' });
  });
  afterAll(() => runtime.dispose());

  test('parameters in half precision stay so, and their moments are float32', () => {
    const spec = new TensorSpec('bfloat16', [3]);
    const config = { ...adam, wd: 0.1, wd_mults: [['.*', 1]], grad_clip_norm: 1 };
    const rule = container.get(tokens.updateRule)(configOf(config), { a: spec, b: { c: spec } }, run);
    const update = (grads: Params, params: Params) => {
      const state = rule.init(params);
      return { before: state, ...applyUpdate(rule, grads, state, params, tf.scalar(0, 'int32')) };
    };
    const tree = { a: spec, b: { c: spec } };
    const specs = namedLeaves<TensorSpec>(runtime.evalShape(update, tree, tree));
    const dtypes = Object.fromEntries(specs.map(([name, { dtype }]) => [name, dtype]));
    expect(dtypes).toEqual({
      ...Object.fromEntries(
        ['before', 'state'].flatMap((when) => [
          [`${when}/scale_by_adam/count`, 'int32'],
          ...['mu/a', 'mu/b/c', 'nu/a', 'nu/b/c'].map((name) => [`${when}/scale_by_adam/${name}`, 'float32']),
        ]),
      ),
      'params/a': 'bfloat16',
      'params/b/c': 'bfloat16',
    });
  });
});
