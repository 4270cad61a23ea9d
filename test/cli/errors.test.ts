// Mistakes of a user, one by one, as they look on the terminal.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { bv, expectUserError, fixtures, project, tinyConfig } from '../support/cli';

/** `bv train` with the tiny config changed; nothing is kept. */
const train = (change: Readonly<Record<string, unknown>>, ...more: string[]) =>
  bv(['train', '--config', 'tiny.ts', '--no-workdir', ...more], {
    cwd: project({ 'tiny.ts': tinyConfig(change) }),
  });

const withPlugins = (...names: string[]) =>
  bv(['train', '--config', 'tiny.ts', '--no-workdir'], {
    cwd: project({
      'tiny.ts': tinyConfig(),
      '.bvrc': JSON.stringify({ plugins: names.map((name) => path.join(fixtures, 'plugins', name)) }),
    }),
  });

describe('config', () => {
  test('unknown key', async () => {
    expectUserError(
      await train({ total_epoch: 3 }),
      /^error: Unknown key "total_epoch"\. Did you mean "total_epochs"\?$/m,
    );
  });

  test('an unknown key that a plugin has put in', async () => {
    const cwd = project({
      'tiny.ts': tinyConfig({ careless: {} }),
      '.bvrc': JSON.stringify({ plugins: [path.join(fixtures, 'plugins', 'careless')] }),
    });
    expectUserError(
      await bv(['train', '--config', 'tiny.ts', '--no-workdir'], { cwd }),
      /Unknown key "lr_mult"\. Did you mean "lr_mults"\?/,
    );
  });

  test('unknown key below another', async () => {
    const input = { data: { name: 'mnist' }, pp: 'decode', batch_sise: 16 };
    expectUserError(await train({ input }), /Unknown key "input\.batch_sise"\. Did you mean "batch_size"\?/);
  });

  test('unknown option of the model', async () => {
    expectUserError(
      await train({ model: { dept: 3 } }),
      /Unknown key "model\.dept"\. Did you mean "depth"\?/,
    );
  });

  test('wrong type', async () => {
    expectUserError(
      await train({ lr: 'fast' }),
      /^error: "lr" is "fast", expected number \(learning rate\)\.$/m,
    );
  });

  test('a required key is missing', async () => {
    expectUserError(await train({ optax_name: undefined }), /"optax_name" is missing, expected string/);
  });

  test.each([
    ['model_name', { model_name: 'vitt' }, /Unknown model "vitt" in model_name\. Did you mean "vit"\?/],
    ['loss', { loss: 'softmax_ent' }, /Unknown loss "softmax_ent" in loss\. Did you mean "softmax_xent"\?/],
    ['optax_name', { optax_name: 'adamm' }, /Unknown optimizer "adamm" in optax_name\./],
    [
      'schedule',
      { schedule: { decay_type: 'cosin' } },
      /Unknown schedule "cosin" in schedule\.decay_type\. Did you mean "cosine"\?/,
    ],
    [
      'evaluator',
      { evals: { test: { type: 'clasification' } } },
      /Unknown evaluator "clasification" in evals\.test\.type/,
    ],
    [
      'data',
      { input: { data: { name: 'mnits' }, batch_size: 1 } },
      /Unknown data "mnits" in input\.data\.name\. Did you mean "mnist"\?/,
    ],
    ['runtime', { runtime: 'xlaa' }, /Unknown runtime "xlaa" in runtime\. Did you mean "xla"\?/],
  ])('unknown name: %s', async (_what, change, message) => {
    expectUserError(await train(change), message);
  });

  test('unknown op, with a caret below it', async () => {
    const { stderr, ...rest } = await train({
      input: { data: { name: 'mnist' }, pp: 'decode|resise(224)', batch_size: 1 },
    });
    expectUserError({ stderr, ...rest }, /Unknown pp "resise".*Did you mean "resize"\?/);
    expect(stderr).toMatch(/^( *)decode\|resise\(224\)\n\1 {7}\^/m);
  });

  test('a syntax error in pp, with a caret below it', async () => {
    const { stderr, ...rest } = await train({
      input: { data: { name: 'mnist' }, pp: 'decode|resize(224', batch_size: 1 },
    });
    expectUserError({ stderr, ...rest }, /input\.pp/);
    expect(stderr).toMatch(/^ *decode\|resize\(224\n *\^/m);
  });

  test('a missing file, with the name of a near one', async () => {
    const cwd = project({ 'tiny.ts': tinyConfig() });
    expectUserError(
      await bv(['train', '--config', 'tyny.ts'], { cwd }),
      /There is no config "tyny\.ts"\. Did you mean "tiny\.ts"\?/,
    );
    expect(fs.readdirSync(cwd)).toEqual(['tiny.ts']);
  });

  test.each([
    [
      'throws when it is loaded',
      `throw new Error('no such cluster');`,
      /broken\.ts fails when it is loaded: no such cluster \(broken\.ts:1:/,
    ],
    [
      'throws when it is called',
      `export default () => { throw new TypeError('no arg'); };`,
      /fails when it is called with "": TypeError: no arg/,
    ],
    [
      'imports what is not there',
      `import './absent';\nexport default () => ({});`,
      /fails when it is loaded: Cannot find module '\.\/absent'/,
    ],
    ['does not parse', `export default () => ({ lr: });`, /fails when it is loaded: .*Expression expected/s],
    ['exports nothing', `export const lr = 1;`, /has no default export, expected a function/],
    ['exports a number', `export default 3;`, /has the default export a number, expected a function/],
    ['returns nothing', `export default () => {};`, /returned nothing, expected an object/],
    [
      'holds a function',
      `export default () => ({ model: { act: Math.abs } });`,
      /"model\.act" is a function: a config is plain data/,
    ],
    [
      'takes another argument',
      `import { parseArg } from 'big-vision-ts/core';\nexport default (arg: string) => parseArg(arg, { res: 224 });`,
      /Unknown argument "size" in the config's argument string "size=3"/,
    ],
  ])('a module that %s', async (what, text, message) => {
    const cwd = project({ 'broken.ts': text });
    const spec = what === 'takes another argument' ? 'broken.ts:size=3' : 'broken.ts';
    expectUserError(await bv(['train', '--config', spec], { cwd }), message);
  });
});

describe('overrides', () => {
  test.each([
    [
      'an unknown path',
      '--config.modle.depth=3',
      /--config\.modle\.depth: there is no "modle" in the config\. Did you mean "model"\?/,
    ],
    ['an unknown option', '--config.model.dept=3', /there is no "dept" in "model"\. Did you mean "depth"\?/],
    ['an unknown evaluator', '--config.evals.tset.log_steps=3', /there is no "tset" in "evals"/],
    ['a wrong type', '--config.lr=fast', /--config\.lr is "fast", expected number/],
    ['no value', '--config.lr', /--config\.lr has no value/],
  ])('%s', async (_what, override, message) => {
    expectUserError(await train({}, override), message);
  });
});

describe('plugins', () => {
  test('one that needs another core', async () => {
    expectUserError(
      await withPlugins('wrong-core'),
      /The plugin "wrong-core" \(.*\) needs core \^9\.1\.0, this is 0\.\d+\.\d+/,
    );
  });

  test('two that register one name', async () => {
    expectUserError(
      await withPlugins('twin-a', 'twin-b'),
      /Plugins "twin-a" and "twin-b" both register the loss "twin_xent"/,
    );
  });

  test('two of one name', async () => {
    const copy = fs.readFileSync(path.join(fixtures, 'plugins', 'twin-a', 'index.ts'), 'utf8');
    const cwd = project({
      'tiny.ts': tinyConfig(),
      'plugins/other/index.ts': copy.replace("from 'zod'", `from '${require.resolve('zod')}'`),
      'package.json': JSON.stringify({ bv: { plugins: [path.join(fixtures, 'plugins', 'twin-a')] } }),
    });
    expectUserError(
      await bv(['train', '--config', 'tiny.ts'], { cwd }),
      /Two plugins are called "twin-a": plugins\/other\/index\.ts and/,
    );
  });

  test('one that fails when it is imported', async () => {
    expectUserError(
      await withPlugins('throws'),
      /The plugin .*throws\/index\.ts fails when it is imported: no licence file/,
    );
  });

  test('one that needs another', async () => {
    expectUserError(
      await withPlugins('needy'),
      /"needy" needs the plugin "vitt" \(\^0\.1\.0\), which isn't here\. Did you mean "vit"\?/,
    );
  });

  test('one that is not there; the commands that only look around go on', async () => {
    const cwd = project({ '.bvrc': 'plugins: [bv-plugin-absent]', 'tiny.ts': tinyConfig() });
    const message = /The plugin "bv-plugin-absent", named in \.bvrc, isn't there/;
    expectUserError(await bv(['train', '--config', 'tiny.ts'], { cwd }), message);
    const { code, stdout } = await bv(['list', 'plugins'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^losses /m);
    expect(stdout).toMatch(message);
  });

  test('a workspace file that cannot be read', async () => {
    const cwd = project({ '.bvrc': '{"plugins": [', 'tiny.ts': tinyConfig() });
    expectUserError(
      await bv(['train', '--config', 'tiny.ts'], { cwd }),
      /The workspace's config \.bvrc can't be read/,
    );
  });

  test('a workspace file with an unknown key', async () => {
    const cwd = project({ 'bv.config.ts': 'export default { plugin: [] };', 'tiny.ts': tinyConfig() });
    expectUserError(
      await bv(['train', '--config', 'tiny.ts'], { cwd }),
      /Unknown key "plugin" in bv\.config\.ts\. Did you mean "plugins"\?/,
    );
  });
});

describe('commands', () => {
  test.each([
    ['an unknown command', ['trian'], /There is no command "trian"\. Did you mean "train"\?/],
    [
      'an unknown command of a group',
      ['runtime', 'instal'],
      /There is no command "runtime instal"\. Did you mean "runtime install"\?/,
    ],
    [
      'an unknown option',
      ['train', '--wrkdir', 'x'],
      /`bv train` has no option --wrkdir\. Did you mean "--workdir"\?/,
    ],
    ['a missing argument', ['describe'], /Missing required argument 'name'/],
    ['a missing argument that an example shows', ['plot'], /'workdirs'\.\ntry: bv plot runs\/a runs\/b; /],
    ['no config', ['train'], /`bv train` needs a config/],
    ['no config to evaluate', ['eval'], /`bv eval` needs a config\.\ntry: .*--workdir/],
    [
      'a config that is no option',
      ['train', 'configs/vit_mnist.ts:epochs=1'],
      /takes its config as an option.*\ntry: bv train --config configs\/vit_mnist\.ts:epochs=1$/m,
    ],
    [
      'a number that is none',
      ['train', '--config', 'x.ts', '--devices', 'two'],
      /--devices is "two", expected a whole number/,
    ],
    ['an unknown kind', ['list', 'modles'], /There are no "modles" to list\. Did you mean "models"\?/],
    [
      'an unknown name',
      ['describe', 'optimizer:scale_by_adma'],
      /There is nothing called "optimizer:scale_by_adma"\. Did you mean "optimizer:scale_by_adam"\?/,
    ],
    [
      'an unknown installer',
      ['runtime', 'install', 'cuda31'],
      /There is nothing called "cuda31" to install\. Did you mean "cuda\d\d"\?/,
    ],
    ['an override without a config', ['list', '--config.lr=1'], /`bv list` takes no config/],
  ])('%s', async (_what, args, message) => {
    expectUserError(await bv(args), message);
  });

  test('--debug shows the code and the stack', async () => {
    const { code, stderr } = await bv(['describe', 'absent', '--debug']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cli\/unknown-name$/m);
    expect(stderr).toMatch(/^\s+at .*describe\.ts:\d+/m);
  });
});
