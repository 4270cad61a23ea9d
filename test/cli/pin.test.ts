// Pins: what a project was run with is recorded, what has changed since is said file by file, and a run can be made again.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bv, expectUserError, project, root, tinyConfig, write } from '../support/cli';
import { finalDigest, metricsOf } from '../support/runs';

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd }).toString();

/** A workspace under version control, in this folder of the repository, with one project and a config that uses it. */
function repository(below = '.'): string {
  const top = project({ 'README.md': '' });
  const cwd = path.join(top, below);
  write(cwd, {
    'package.json': '{"name": "workspace", "private": true, "bv": {}}',
    '.gitignore': 'node_modules\n.cache\nruns\n',
    'tiny.ts': tinyConfig({ louder: {}, ckpt_steps: 1 }),
    'proj/louder/index.ts': `
      import { definePlugin, z } from 'big-vision-ts/core';
      import { factor } from './factor';
      import * as tf from 'big-vision-ts/core/tensor';
      export default definePlugin({
        name: 'louder', version: '1.2.0', core: '*', doc: 'A loss that counts more.', options: z.strictObject({}),
        apply(hooks) {
          hooks.loss.tap('louder', (lossFn) => (...args) => {
            const result = lossFn(...args);
            return { ...result, loss: tf.mul(factor, result.loss) };
          });
        },
      });`,
    'proj/louder/factor.ts': 'export const factor = 2;\n',
  });
  fs.mkdirSync(path.join(cwd, 'node_modules'));
  fs.symlinkSync(root, path.join(cwd, 'node_modules', 'big-vision-ts'));
  git(top, 'init', '-q');
  git(top, 'add', '.');
  git(cwd, 'commit', '-qm', 'start');
  return cwd;
}

interface Pin {
  readonly version: string;
  readonly losses: readonly number[];
  readonly program: string;
  readonly provenance: { readonly commit: string; readonly files: Readonly<Record<string, string>> };
}

test('a pin holds commit, versions, files and ten losses; check tells what changed; training refuses', async () => {
  const cwd = repository();
  expectUserError(await bv(['pin', 'louder'], { cwd }), /"louder" is pinned for the first time/);
  expectUserError(
    await bv(['pin', 'loud', '--config', 'tiny.ts'], { cwd }),
    /no project "loud" .*Did you mean "louder"\?/,
  );

  expect(await bv(['pin', 'louder', '--config', 'tiny.ts'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  const pin = JSON.parse(fs.readFileSync(path.join(cwd, 'proj/louder/pin.json'), 'utf8')) as Pin;
  expect(pin).toMatchObject({ version: '1.2.0', config: 'tiny.ts' });
  expect(pin.provenance.commit).toBe(git(cwd, 'rev-parse', 'HEAD').trim());
  expect(Object.keys(pin.provenance.files)).toEqual(
    expect.arrayContaining([
      'proj/louder/factor.ts',
      'proj/louder/index.ts',
      'tiny.ts',
      'big-vision-ts/core/train/trainer.ts',
    ]),
  );
  expect(pin.losses).toHaveLength(10);
  // Twice the cross-entropy of ten equal classes.
  expect(pin.losses[0]).toBeCloseTo(2 * Math.log(10), 1);

  const unchanged = await bv(['pin', 'check'], { cwd });
  expect(unchanged).toMatchObject({ code: 0 });
  expect(unchanged.stdout).toContain('nothing has changed');
  const here = await bv(['train', '--pinned', 'louder', '--no-workdir'], { cwd });
  expect(here).toMatchObject({ code: 0 });
  expect((await bv(['pin', 'table'], { cwd })).stdout).toMatch(
    /^\| louder \| 1\.2\.0 \| `[0-9a-f]{10}` .*\| `tiny\.ts` \|/m,
  );

  fs.writeFileSync(path.join(cwd, 'proj/louder/factor.ts'), 'export const factor = 3;\n');
  const changed = await bv(['pin', 'check', 'louder'], { cwd });
  expect(changed).toMatchObject({ code: 1 });
  expect(changed.stdout).toMatch(/^ {2}changed: proj\/louder\/factor\.ts$/m);
  expect(changed.stdout).not.toContain('proj/louder/index.ts');
  expectUserError(
    await bv(['train', '--pinned', 'louder', '--no-workdir'], { cwd }),
    /isn't what "louder" was pinned with: proj\/louder\/factor\.ts\.\ntry: bv pin checkout louder/,
  );
  expectUserError(await bv(['pin', 'louder'], { cwd }), /Not committed.*proj\/louder\/factor\.ts/);
  expectUserError(
    await bv(['train', '--pinned', 'lauder', '--no-workdir'], { cwd }),
    /no pin of "lauder"\. Did you mean "louder"\?/,
  );
});

test('a run is made again from its workdir, to the same bits, and not with something else', async () => {
  const cwd = repository();
  const ran = await bv(['train', '--config', 'tiny.ts', '--workdir', 'runs/a', '--config.seed=5'], { cwd });
  expect(ran).toMatchObject({ code: 0 });
  expect(await bv(['rerun', 'runs/a', '--workdir', 'runs/b'], { cwd })).toMatchObject({ code: 0 });
  const digest = (name: string) => finalDigest(path.join(cwd, 'runs', name));
  expect(digest('b')).toEqual(digest('a'));
  const manifest = fs.readFileSync(path.join(cwd, 'runs/a/checkpoints/000000002/manifest.json'), 'utf8');
  const { provenance } = (JSON.parse(manifest) as { meta: { provenance: object } }).meta;
  const whole = JSON.parse(fs.readFileSync(path.join(cwd, 'runs/a/provenance.json'), 'utf8')) as object;
  expect(provenance).toEqual({ ...whole, files: expect.stringMatching(/^[0-9a-f]{64}$/) as string });

  fs.writeFileSync(path.join(cwd, 'proj/louder/factor.ts'), 'export const factor = 3;\n');
  expectUserError(
    await bv(['rerun', 'runs/a', '--workdir', 'runs/c'], { cwd }),
    /runs\/a was made with something else: proj\/louder\/factor\.ts/,
  );
  expect(await bv(['rerun', 'runs/a', '--workdir', 'runs/c', '--anyway'], { cwd })).toMatchObject({
    code: 0,
  });
  expect(digest('c').sha256).not.toBe(digest('a').sha256);
  expectUserError(
    await bv(['rerun', 'proj'], { cwd }),
    /proj isn't the workdir of a run: it has no config\.json/,
  );
});

/** `repository()`, with what `npm ci` installs in a moment and without the network: packages that lie in it. */
function repositoryWithPackages(): string {
  const cwd = repository('lab');
  const packages = { 'big-vision-ts': '0.1.0', loudness: '1.0.0' };
  const dependencies = Object.fromEntries(
    Object.keys(packages).map((name) => [name, `file:packages/${name}`]),
  );
  const locked = Object.entries(packages).flatMap(([name, version]) => [
    [`packages/${name}`, { version }],
    [`node_modules/${name}`, { resolved: `packages/${name}`, link: true }],
  ]);
  const workspace = { name: 'workspace', version: '1.0.0' };
  const lock = {
    ...workspace,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { ...workspace, dependencies }, ...Object.fromEntries(locked) },
  };
  write(cwd, {
    'package.json': JSON.stringify({ ...workspace, private: true, bv: {}, dependencies }),
    'package-lock.json': JSON.stringify(lock),
    'packages/big-vision-ts/package.json': '{"name": "big-vision-ts", "version": "0.1.0"}',
    // Says that it was this one that was started.
    'packages/big-vision-ts/bin/bv.js': `console.error('pinned bv'); require(${JSON.stringify(path.join(root, 'bin/bv.js'))});`,
    'packages/loudness/package.json': '{"name": "loudness", "version": "1.0.0"}',
    'packages/loudness/index.js': 'exports.factor = 2;\n',
    'proj/louder/factor.ts': "export { factor } from 'loudness';\n",
  });
  fs.symlinkSync('../packages/loudness', path.join(cwd, 'node_modules/loudness'));
  git(cwd, 'add', '.');
  git(cwd, 'commit', '-qm', 'packages');
  return cwd;
}

test('a pin is checked out with its own dependencies, and trained there when what is here has changed', async () => {
  const cwd = repositoryWithPackages();
  const env = { npm_config_offline: 'true', npm_config_update_notifier: 'false' };
  expect(await bv(['pin', 'louder', '--config', 'tiny.ts'], { cwd })).toMatchObject({ code: 0 });
  const pinned = git(cwd, 'rev-parse', 'HEAD').trim();

  fs.writeFileSync(path.join(cwd, 'packages/loudness/index.js'), 'exports.factor = 30;\n');
  git(cwd, 'commit', '-qam', 'much louder');
  const train = (workdir: string, ...args: string[]) =>
    bv(['train', ...args, '--workdir', `runs/${workdir}`], { cwd });

  expectUserError(
    await train('refused', '--pinned', 'louder'),
    /isn't what "louder" was pinned with: packages\/loudness\/index\.js\.\ntry: bv pin checkout louder/,
  );
  expect(fs.existsSync(path.join(cwd, 'runs/refused'))).toBe(false);

  const folder = path.join('.cache/pins', `louder-${pinned.slice(0, 10)}`, 'lab');
  for (const _ of ['made', 'found']) {
    const checkout = await bv(['pin', 'checkout', 'louder'], { cwd, env });
    expect([checkout.code, checkout.stdout.trim()]).toEqual([0, folder]);
  }
  expect(git(path.join(cwd, folder), 'rev-parse', 'HEAD').trim()).toBe(pinned);
  const installed = path.join(cwd, folder, 'node_modules/loudness/index.js');
  expect(fs.readFileSync(installed, 'utf8')).toContain('factor = 2;');

  const there = await train('pinned', '--pinned', 'louder', '--config.seed=5');
  expect(there).toMatchObject({ code: 0, stderr: expect.stringContaining('pinned bv') as string });
  const [{ training_loss } = {}] = metricsOf(path.join(cwd, 'runs/pinned'));
  expect(training_loss).toBeCloseTo(2 * Math.log(10), 1);
});
