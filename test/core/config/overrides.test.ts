import { z } from 'zod';
import { applyOverride, takeOverrides } from '../../../core/config/overrides';
import { viewOf } from '../../../core/schema-view';

const view = viewOf(
  z.strictObject({
    lr: z.number(),
    wd: z.number().optional(),
    loss: z.string().default('sigmoid_xent'),
    shuffle: z.boolean().default(true),
    end: z.number().nullable().optional(),
    rep: z.union([z.boolean(), z.number()]).default(false),
    mults: z.array(z.tuple([z.string(), z.number()])).optional(),
    model: z.strictObject({ variant: z.string().optional(), width: z.number().optional() }).default({}),
    free: z.record(z.string(), z.unknown()).default({}),
    evals: z
      .record(z.string(), z.looseObject({ type: z.string().optional(), log_steps: z.number().optional() }))
      .default({}),
  }),
);
const config = {
  lr: 1,
  model: { variant: 'S' },
  mults: [['a', 1]],
  evals: { test: { type: 't' } },
  free: { a: 1 },
};
const apply = (path: string, value: string) => applyOverride(config, { path, value }, view);

describe('takeOverrides', () => {
  test('both forms, among other arguments', () => {
    const argv = [
      'train',
      '--config',
      'a.ts',
      '--config.lr=1',
      '--config.a.b',
      'x',
      '--debug',
      '--config.wd',
      '-3',
    ];
    expect(takeOverrides(argv)).toEqual({
      overrides: [
        { path: 'lr', value: '1' },
        { path: 'a.b', value: 'x' },
        { path: 'wd', value: '-3' },
      ],
      rest: ['train', '--config', 'a.ts', '--debug'],
    });
  });

  test('a value may be empty, and hold an equals sign', () => {
    expect(takeOverrides(['--config.a=', '--config.b=x=y']).overrides).toEqual([
      { path: 'a', value: '' },
      { path: 'b', value: 'x=y' },
    ]);
  });

  test.each([[['--config.a']], [['--config.a', '--config.b=1']]])('%p has no value', (argv) => {
    expect(() => takeOverrides(argv)).toThrow('--config.a has no value');
  });
});

describe('applyOverride', () => {
  test('leaves the rest, and what was given, as they are', () => {
    const changed = apply('lr', '3e-4');
    expect(changed).toEqual({ ...config, lr: 3e-4 });
    expect(config.lr).toBe(1);
    expect(changed['evals']).toBe(config.evals);
  });

  test.each([
    ['wd', '1_0', { wd: 10 }],
    ['loss', '3', { loss: '3' }],
    ['shuffle', 'False', { shuffle: false }],
    ['shuffle', '0', { shuffle: false }],
    ['rep', '1', { rep: 1 }],
    ['rep', '64', { rep: 64 }],
    ['rep', 'true', { rep: true }],
    ['end', 'null', { end: null }],
    ['end', 'None', { end: null }],
    ['mults', '[["b", 2]]', { mults: [['b', 2]] }],
    ['mults.0.1', '5', { mults: [['a', 5]] }],
    ['model', '{"width": 3}', { model: { width: 3 } }],
    ['model.width', '3', { model: { variant: 'S', width: 3 } }],
    ['evals.test.log_steps', '100', { evals: { test: { type: 't', log_steps: 100 } } }],
    ['evals.new', '{"type": "x"}', { evals: { test: { type: 't' }, new: { type: 'x' } } }],
    ['free.b', 'text', { free: { a: 1, b: 'text' } }],
    ['free.b', '[1]', { free: { a: 1, b: [1] } }],
    ['free.a', '2', { free: { a: 2 } }],
  ])('%s=%s', (path, value, expected) => {
    expect(apply(path, value)).toEqual({ ...config, ...expected });
  });

  test('null takes an optional key out', () => {
    expect(apply('mults', 'null')).toEqual({
      lr: 1,
      model: config.model,
      evals: config.evals,
      free: config.free,
    });
    expect(apply('model.variant', 'null')).toMatchObject({ model: {} });
    expect(() => apply('lr', 'null')).toThrow('is "null", expected number');
  });

  test.each([
    ['modle.width', '1', /no "modle" in the config\. Did you mean "model"\?/],
    ['model.widht', '1', /no "widht" in "model"\. Did you mean "width"\?/],
    ['evals.tset.log_steps', '1', /no "tset" in "evals"\. Did you mean "test"\?/],
    ['lr.x', '1', /no "x" in "lr"/],
    ['mults.1.0', 'a', /"1" is no index of "mults", which has 1 item/],
    ['mults.first', 'a', /"first" is no index of "mults"/],
    ['shuffle', 'yes', / is "yes", expected boolean/],
    ['free.a', 'x', / is "x", expected a number/],
    ['mults', '[', /expected \[string, number\]\[\]/],
  ])('%s=%s is an error', (path, value, message) => {
    expect(() => apply(path, value)).toThrow(message);
  });
});
