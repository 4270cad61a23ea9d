import { z } from 'zod';
import { resolveConfig } from '../../../core/config/resolve';
import { configSchema, evalSchema, inputSchema } from '../../../core/config/schema';
import { mistakeAmong } from '../../../core/config/without-effect';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { definePlugin, type Plugin, registrarFor } from '../../../core/plugin';

const parts = definePlugin({
  name: 'parts',
  version: '1.0.0',
  core: '^0.1.0',
  doc: 'One of each.',
  register({ register }) {
    const none = () => {
      throw new Error('checking makes nothing');
    };
    const options = z.strictObject({
      width: z.number().int().min(1).default(8),
      num_classes: z.number().optional(),
    });
    register('model', 'net', { doc: '', options, create: none });
    register('model', 'other', {
      doc: '',
      options: z.object({ depth: z.number().optional() }),
      create: none,
    });
    register('loss', 'xent', {
      doc: '',
      options: z.strictObject({ kl: z.boolean().default(false) }),
      create: none,
    });
    register('optimizer', 'adam', {
      doc: '',
      options: z.strictObject({ b1: z.number().default(0.9) }),
      create: none,
    });
    for (const name of ['stair', 'cosine']) {
      register('schedule', name, {
        doc: '',
        options: z.strictObject({ warmup_steps: z.number().optional() }),
        create: none,
      });
    }
    register('data', 'digits', {
      doc: '',
      options: z.strictObject({ split: z.enum(['train', 'test']) }),
      create: none,
    });
    register('pp', 'crop', {
      doc: '',
      options: z.strictObject({ size: z.number() }),
      positional: ['size'],
      create: none,
    });
    register('sharding', 'replicate', { doc: '', options: z.strictObject({}), create: none });
    const evalOptions = z
      .strictObject({
        pp_fn: z.string().default(''),
        data: z.looseObject({ name: z.string() }),
        k: z.number().default(1),
      })
      .refine(({ k }) => k < 10, { path: ['k'], message: 'expected fewer than 10' });
    register('evaluator', 'topk', { doc: '', options: evalOptions, create: none });
  },
});
const taps: Plugin = definePlugin({
  name: 'sam',
  version: '1.0.0',
  core: '^0.1.0',
  doc: 'Takes options.',
  options: z.strictObject({ rho: z.number() }),
  apply() {},
});

const registry = new Registry();
parts.register?.(registrarFor(parts, registry, Container.create()));
const context = { registry, plugins: [parts, taps] as Plugin[] };

const raw = {
  input: { data: { name: 'digits', split: 'train' }, pp: 'crop(3)', batch_size: 4 },
  total_steps: 10,
  num_classes: 2,
  model_name: 'net',
  loss: 'xent',
  optax_name: 'adam',
  lr: 0.1,
};
const topk = { type: 'topk', pp_fn: 'crop(3)', data: { name: 'digits', split: 'test' } };
const resolve = (change: Record<string, unknown> = {}, ...overrides: [path: string, value: string][]) =>
  resolveConfig(
    { ...raw, ...change },
    overrides.map(([path, value]) => ({ path, value })),
    context,
  );

test('defaults are filled in, and all of it is frozen', () => {
  const config = resolve({ evals: { test: topk } });
  expect(config).toMatchObject({
    seed: 0,
    model: {},
    evals: { test: { pred: 'predict', skip_first: false } },
  });
  expect(config.wd_mults).toEqual([['.*/kernel', 1]]);
  expect(
    Object.isFrozen(config) && Object.isFrozen(config.input.data) && Object.isFrozen(config.wd_mults[0]),
  ).toBe(true);
  expect(structuredClone(config)).toEqual(config);
});

test('keys of the original that have no effect are named together, with the reason', () => {
  const why = (change: Record<string, unknown>) => () => resolve(change);
  expect(why({ pp_modules: [], runlocal: false })).toThrow(
    /^Keys of the original without effect here: "pp_modules" \(the ops of all plugins are there\), "runlocal" \(.*\)\.\nTry: remove them/,
  );
  expect(why({ input: { ...raw.input, shuffle_buffer_size: 50 } })).toThrow(
    '"input.shuffle_buffer_size" (every epoch is shuffled whole)',
  );
  expect(why({ evals: { test: { ...topk, cache: 'none' } } })).toThrow(
    /A key of.*"evals.test.cache".*remove it/s,
  );
  expect(() => resolve({}, ['input.cache_raw', 'true'])).toThrow('"input.cache_raw" (');
  // With a mistake among them, the mistake comes first.
  expect(why({ pp_modules: [], totl_steps: 3 })).toThrow(/Unknown key "totl_steps"/);
  expect(why({ input: { ...raw.input, cache: 'none', shufle: true } })).toThrow(/Unknown key "input.shufle"/);
});

test('no key that is read counts as one without effect', () => {
  const read = { '': configSchema, input: inputSchema, evals: evalSchema };
  for (const [section, { shape }] of Object.entries(read))
    for (const key of Object.keys(shape)) expect(mistakeAmong(section, [key])).toBe(key);
});

test('0 and 1 are booleans, where one is expected', () => {
  const config = resolve({
    input: { ...raw.input, shuffle: 0 },
    evals: { test: { ...topk, skip_first: 1 } },
    loss_options: { kl: 1 },
  });
  expect(config).toMatchObject({ input: { shuffle: false }, evals: { test: { skip_first: true } } });
});

test('a plugin takes part by its key, null leaves it out', () => {
  expect(resolve({ sam: { rho: 1 } })).toMatchObject({ sam: { rho: 1 } });
  expect(resolve({ sam: { rho: 1 } }, ['sam', 'null'])['sam'] ?? null).toBeNull();
  expect(resolve({ sam: { rho: 1 } }, ['sam.rho', '2'])).toMatchObject({ sam: { rho: 2 } });
  expect(() => resolve({ sam: { roh: 1 } })).toThrow('Unknown key "sam.roh". Did you mean "rho"?');
  expect(() => resolve({ parts: {} })).toThrow('the plugin of that name takes no options');
});

test('an override of a name decides which options there are, wherever it stands', () => {
  expect(resolve({}, ['model.depth', '3'], ['model_name', 'other'], ['num_classes', 'null'])).toMatchObject({
    model: { depth: 3 },
  });
  expect(() => resolve({}, ['model.depth', '3'])).toThrow('there is no "depth" in "model"');
});

test('options of evaluators can be overridden, new ones and those of the entry itself', () => {
  const config = resolve({ evals: { test: topk } }, ['evals.test.k', '5'], ['evals.test.log_steps', '7']);
  expect(config.evals['test']).toMatchObject({ k: 5, log_steps: 7 });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['top key', { totl_steps: 3 }, /Unknown key "totl_steps"\. Did you mean "total_steps"\?/],
  ['a plugin that is not here', { gsma: {} }, /Unknown key "gsma".*the plugin "gsma"/s],
  ['model option', { model: { with: 3 } }, /Unknown key "model\.with"\. Did you mean "width"\?/],
  [
    'model option of an open schema',
    { model_name: 'other', num_classes: undefined, model: { dept: 3 } },
    /Unknown key "model\.dept"/,
  ],
  ['model value', { model: { width: 0 } }, /"model\.width" is 0, expected number to be >=1/],
  ['model value of another type', { model: { width: 'x' } }, /"model\.width" is "x", expected integer >= 1/],
  ['loss option', { loss_options: { kl: 2 } }, /"loss_options\.kl" is 2, expected boolean/],
  ['optimizer option', { optax: { b2: 1 } }, /Unknown key "optax\.b2"\. Did you mean "b1"\?/],
  [
    'schedule option',
    { schedule: { decay_type: 'cosine', warmup_step: 1 } },
    /Unknown key "schedule\.warmup_step"\. Did you mean "warmup_steps"\?/,
  ],
  [
    'one of several schedules',
    {
      schedule: [
        ['a', null],
        ['b', { warmup: 1 }],
      ],
    },
    /Unknown key "schedule\.1\.1\.warmup"/,
  ],
  [
    'data option',
    { input: { ...raw.input, data: { name: 'digits', split: 'trian' } } },
    /"input\.data\.split" is "trian", expected "train" \| "test".*Did you mean "train"\?/,
  ],
  ['pp op', { input: { ...raw.input, pp: 'corp(3)' } }, /Unknown pp "corp".*Did you mean "crop"\?/],
  ['pp argument', { input: { ...raw.input, pp: 'crop("x")' } }, /"size" of crop/],
  [
    'sharding rule',
    { sharding_strategy: [['.*', 'replicat']] },
    /Unknown sharding "replicat".*sharding_strategy\.0\.1/,
  ],
  ['evaluator option', { evals: { test: { ...topk, kk: 3 } } }, /Unknown key "evals\.test\.kk"/],
  [
    'common field of evaluators',
    { evals: { test: { ...topk, log_step: 3 } } },
    /Unknown key "evals\.test\.log_step"\. Did you mean "log_steps"\?/,
  ],
  [
    'refinement of an evaluator',
    { evals: { test: { ...topk, k: 10 } } },
    /"evals\.test\.k" is 10, expected fewer than 10/,
  ],
  ['pp of an evaluator', { evals: { test: { ...topk, pp_fn: 'crop(3' } } }, /evals\.test\.pp_fn/],
  [
    'data of an evaluator',
    { evals: { test: { ...topk, data: { name: 'digit' } } } },
    /Unknown data "digit" in evals\.test\.data\.name/,
  ],
])('error: %s', (_what, change, message) => {
  expect(() => resolve(change)).toThrow(message);
});
