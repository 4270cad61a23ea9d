// What `bv` does when all is well.

import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { version } from '../../package.json';
import { bv, project, root, tinyConfig } from '../support/cli';

const externalPlugin = `
import { definePlugin, tokens } from 'big-vision-ts/core';
import * as tf from 'big-vision-ts/core/tensor';

/** Another implementation of a schema would do as well; a plugin brings its own zod. */
import { z } from 'zod';

export default definePlugin({
  name: 'shout',
  version: '1.2.0',
  core: '^0.1.0',
  needs: { losses: '^0.1.0' },
  doc: 'Makes losses louder. And has a second sentence.',
  options: z.strictObject({ gain: z.number().min(0).default(2).describe('how much louder') }),
  register({ register }) {
    register('loss', 'square', {
      doc: 'Squared error.',
      options: z.strictObject({}),
      inject: [tokens.root],
      create: (_options, root) => {
        // Only the core that made the container knows this token.
        if (!root) throw new Error('no root');
        return ({ logits, labels }, { reduction = true } = {}) => {
          const each = tf.sum(tf.squaredDifference(logits, labels), -1);
          return reduction ? tf.mean(each) : each;
        };
      },
    });
  },
  apply(hooks, { gain }) {
    hooks.loss.tap('shout', (lossFn) => (params, batch, context) => {
      const result = lossFn(params, batch, context);
      return { ...result, loss: tf.mul(result.loss, gain) };
    });
  },
});
`;

/** A workspace outside this package whose plugin finds the core by the package's name. */
function externalWorkspace(): string {
  const folder = project({
    'plugins/shout/index.ts': externalPlugin,
    'configs/tiny.ts': tinyConfig({ loss: 'square', shout: {} }),
    'bv.config.ts': `import { defineWorkspace } from 'big-vision-ts/core';\nexport default defineWorkspace({ compile_cache: 'cache' });\n`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        module: 'node20',
        moduleResolution: 'node16',
        target: 'es2022',
        lib: ['es2023'],
        strict: true,
        noUncheckedIndexedAccess: true,
        esModuleInterop: true,
        experimentalDecorators: true,
        resolveJsonModule: true,
        skipLibCheck: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [path.join(root, 'node_modules', '@types')],
      },
      include: ['plugins', 'configs', 'bv.config.ts'],
    }),
  });
  // As after `npm install big-vision-ts zod`.
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(path.join(root, 'node_modules', 'zod'), path.join(folder, 'node_modules', 'zod'));
  return folder;
}

test('--version and --help', async () => {
  expect(await bv(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const help = await bv([]);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(await bv(['--help'])).toEqual(help);
  for (const command of ['train', 'eval', 'explain', 'list', 'describe', 'doctor', 'runtime']) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test.each(['train', 'eval', 'explain', 'list', 'describe', 'doctor', 'runtime install'])(
  '%s --help has examples',
  async (command) => {
    const { code, stdout, stderr } = await bv([...command.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`Examples:\\n  # .+\\n  bv ${command}`));
  },
);

test('list: counts, one kind, hooks', async () => {
  const { code, stdout } = await bv(['list']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^losses +\d+ +.*sigmoid_xent/m);
  expect((await bv(['list', 'optimizers'])).stdout).toMatch(/^scale_by_adam +optim +\S/m);
  expect((await bv(['list', 'hooks'])).stdout).toMatch(/^gradients +traced +gradientFn, run +\S/m);
});

test('describe: by name, by kind, a call string, a hook, the config', async () => {
  expect((await bv(['describe', 'scale_by_adam'])).stdout).toMatch(/^b1 +number.* 0\.9 /m);
  const { stdout } = await bv(['describe', 'op:resize']);
  expect(stdout).toMatch(/^resize\(size, method='bilinear'/m);
  expect(stdout).toMatch(/^size .* required /m);
  expect(await bv(['describe', 'pp:resize'])).toMatchObject({ code: 0, stdout });
  expect((await bv(['describe', 'hook:loss'])).stdout).toMatch(/^loss\(lossFn, run\)/);
  expect((await bv(['describe', 'config'])).stdout).toMatch(/^model_name +string +required/m);
});

test('doctor succeeds where a runtime works', async () => {
  const { code, stdout } = await bv(['doctor']);
  expect(stdout).toMatch(/Node v\d+/);
  expect(stdout).toMatch(/^ok +losses \d/m);
  expect(code).toBe(/^ok +\w+: /m.test(stdout) ? 0 : 1);
});

test('explain: config, plugins, taps in order, parameters', async () => {
  const cwd = project({ 'tiny.ts': tinyConfig({ gsam: { rho_max: 0.1, rho_min: 0.1, alpha: 0 } }) });
  const { code, stdout, stderr } = await bv(['explain', 'tiny.ts', '--config.lr=0.5'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ {2}lr: 0\.5,$/m);
  expect(stdout).toMatch(/^vit +\S+ +model vit$/m);
  expect(stdout).toMatch(/^gradients +traced +gsam$/m);
  expect(stdout).toMatch(/^head\/kernel +float32 +\[16, 10\] +160 +replicated +640$/m);
  expect(stdout).toMatch(/^[\d,]+ parameters of vit/m);
  const only = await bv(['explain', 'tiny.ts', '--only', 'hooks'], { cwd });
  expect(only.stdout).toMatch(/^config +host/);
  expect(only.stdout).not.toContain('parameters');
});

test('train: a new workdir each time, named after the config; a named one resumes; eval reads it', async () => {
  const cwd = project({ 'tiny.ts': tinyConfig({ ckpt_steps: 1 }) });
  const first = await bv(['train', '--config', 'tiny.ts'], { cwd });
  expect(first).toMatchObject({ code: 0, stderr: '' });
  const workdir = /^workdir (workdir\/tiny-\S+)$/m.exec(first.stdout)?.[1] as string;
  expect(first.stdout.trimEnd().split('\n').at(-1)).toBe(`workdir ${workdir}`);
  expect(first.stdout).toMatch(/training_loss/);
  expect(fs.readdirSync(path.join(cwd, workdir)).sort()).toEqual([
    'big_vision_metrics.txt',
    'checkpoints',
    'config.json',
    'provenance.json',
  ]);
  expect(JSON.parse(fs.readFileSync(path.join(cwd, workdir, 'config.json'), 'utf8'))).toMatchObject({
    seed: 0,
    total_steps: 2,
  });

  const second = await bv(['train', '--config', 'tiny.ts'], { cwd });
  expect(second.stdout).not.toContain(workdir);
  expect(fs.readdirSync(path.join(cwd, 'workdir'))).toHaveLength(2);

  const more = await bv(['train', '--config', 'tiny.ts', '--workdir', workdir, '--config.total_steps=3'], {
    cwd,
  });
  expect(more).toMatchObject({ code: 0, stderr: '' });
  expect(more.stdout).toMatch(/Resumed from step 2/);

  const evals = JSON.stringify({
    test: {
      type: 'classification',
      data: { name: 'mnist', split: 'test' },
      pp_fn: "decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')",
      loss_name: 'softmax_xent',
    },
  });
  const evaluated = await bv(['eval', '--workdir', workdir, `--config.evals=${evals}`], { cwd });
  expect(evaluated).toMatchObject({ code: 0, stderr: '' });
  expect(evaluated.stdout).toMatch(/Parameters of step 3/);
  const metrics = /test\/prec@1 .* 0\.\d+.*/.exec(evaluated.stdout)?.[0];
  expect(metrics).toBeDefined();
  await bv(['convert', workdir, 'tiny.npz', '--params'], { cwd });
  const file = ['--config', 'tiny.ts', '--checkpoint', 'tiny.npz', `--config.evals=${evals}`];
  const again = await bv(['eval', ...file], { cwd });
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain(metrics as string);
});

test('train keeps nothing with --no-workdir, and cleans up with --cleanup', async () => {
  const cwd = project({ 'tiny.ts': tinyConfig() });
  expect(await bv(['train', '--config', 'tiny.ts', '--no-workdir'], { cwd })).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(fs.existsSync(path.join(cwd, 'workdir'))).toBe(false);
  expect(await bv(['train', '--config', 'tiny.ts', '--workdir', 'w', '--cleanup'], { cwd })).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(fs.existsSync(path.join(cwd, 'w'))).toBe(false);
});

test('train goes on when nobody reads what it prints any more', async () => {
  const cwd = project({ 'tiny.ts': tinyConfig() });
  const args = [path.join(root, 'bin', 'bv.js'), 'train', '--config', 'tiny.ts', '--workdir', 'w'];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.destroy();
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  const rows = fs
    .readFileSync(path.join(cwd, 'w', 'big_vision_metrics.txt'), 'utf8')
    .trim()
    .split('\n');
  expect(JSON.parse(rows.at(-1) as string)).toMatchObject({ step: 2 });
});

test('train says whether it came to the numbers in the header', async () => {
  const header = {
    command: 'bv train',
    hardware: 'any',
    expect: { training_loss: { max: 9 }, l2_params: 1e9 },
  };
  const cwd = project({ 'config.ts': tinyConfig({ header }) });
  const { code, stdout } = await bv(['train', '--config', 'config.ts', '--no-workdir'], { cwd });
  expect(stdout).toMatch(/reached training_loss <= 9 \(the config's header\): \d/);
  expect(stdout).toMatch(/missed l2_params >= 1000000000 \(the config's header\): \d/);
  expect(code).toBe(1);
});

test('a workdir that cannot be written has an exit code of its own', async () => {
  const cwd = project({ 'tiny.ts': tinyConfig(), file: '' });
  const { code, stderr } = await bv(['train', '--config', 'tiny.ts', '--workdir', 'file/below'], { cwd });
  expect(stderr).toMatch(/Can't use the workdir .*file\/below/);
  expect(code).toBe(4);
});

describe('a plugin outside this package', () => {
  test('is found, listed, described, and trains with the core that runs it', async () => {
    const cwd = externalWorkspace();
    expect((await bv(['list', 'plugins'], { cwd })).stdout).toMatch(
      /^shout +1\.2\.0 +workspace +Makes losses louder/m,
    );
    expect((await bv(['describe', 'shout'], { cwd })).stdout).toMatch(
      /^gain +number >= 0 +2 +how much louder$/m,
    );
    const { code, stdout, stderr } = await bv(['train', '--config', 'configs/tiny.ts', '--workdir', 'w'], {
      cwd,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/step 2\/2/);
    const metrics = fs.readFileSync(path.join(cwd, 'w', 'big_vision_metrics.txt'), 'utf8');
    // The head starts at zero: the squared error of a one-hot label is 1, times the gain.
    expect(JSON.parse(metrics.split('\n')[0] as string)).toMatchObject({ step: 1, training_loss: 2 });
    const loud = await bv(
      ['train', '--config', 'configs/tiny.ts', '--no-workdir', '--config.shout.gain=-1'],
      { cwd },
    );
    expect(loud.stderr).toMatch(/"shout\.gain" is -1/);
  });

  test('type-checks against the package as it is installed', () => {
    const cwd = externalWorkspace();
    fs.symlinkSync(root, path.join(cwd, 'node_modules', 'big-vision-ts'));
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    // Types that were lost would be any, and this line without an error.
    const wrong = `\n// @ts-expect-error -- no such extension point\ndefinePlugin({ register: ({ register }) => register('los', 'x', {}) });\n`;
    fs.appendFileSync(path.join(cwd, 'plugins', 'shout', 'index.ts'), wrong);
    expect(execFileSync(process.execPath, [tsc, '-p', '.'], { cwd, encoding: 'utf8' })).toBe('');
  });
});
