// Every template, scaffolded into a folder outside the repository: it explains itself, passes its own tests, trains, and
// is clean.

import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { bv, expectUserError, project, root } from '../support/cli';

/** Runs a program to its end; what it printed is in the error if it fails. */
async function run(file: string, args: readonly string[], options: { cwd: string }): Promise<string> {
  try {
    return (await promisify(execFile)(file, args, options)).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

/** An empty workspace in which the package is installed, as `npm install` of a folder does it: by a link. */
function workspace(): string {
  const folder = project({ 'package.json': '{"name": "workspace", "private": true}' });
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'big-vision-ts'));
  return folder;
}

const kinds = {
  project: 'proj',
  model: 'plugins',
  loss: 'plugins',
  op: 'plugins',
  evaluator: 'plugins',
  optimizer: 'plugins',
  'data-source': 'plugins',
} as const;

const cwd = workspace();
const places = Object.entries(kinds).map(([kind, folder]) => [kind, `${folder}/sharp-${kind}`] as const);

beforeAll(async () => {
  for (const [kind] of places) {
    const made = await bv(['new', kind, `sharp-${kind}`], { cwd });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('index.test.ts');
  }
  expect(await bv(['new', 'config', 'sharp-digits'], { cwd })).toMatchObject({ code: 0 });
});

describe.each(places)('%s', (_, place) => {
  test('passes its own tests, which train two steps with it', async () => {
    const stdout = await run('npm', ['test', '--silent', '--prefix', place], { cwd });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(/^# pass [1-9]/m);
  });
});

/** Two steps of a config. */
const train = (config: string, folder: string) => {
  const short = ['total_epochs=null', 'total_steps=2', 'evals={}'].map((change) => `--config.${change}`);
  return bv(['train', '--config', config, '--no-workdir', ...short], { cwd: folder });
};

test('a project and a config train from the command line', async () => {
  expect(await train('proj/sharp-project/config.ts', cwd)).toMatchObject({ code: 0 });
  expect(await train('configs/sharp_digits.ts:width=16', cwd)).toMatchObject({ code: 0 });
});

test('what was written is formatted, linted and typed', async () => {
  const bin = (name: string) => path.join(root, 'node_modules', '.bin', name);
  // In the repository's own rules: a copy inside it, since ESLint looks at nothing outside of its config's folder.
  const copy = fs.mkdtempSync(path.join(root, 'test', '.scaffolded-'));
  try {
    for (const folder of ['proj', 'plugins', 'configs']) {
      fs.cpSync(path.join(cwd, folder), path.join(copy, folder), { recursive: true });
    }
    await run(bin('prettier'), ['--check', `${copy}/**/*.ts`], { cwd: root });
    await run(bin('eslint'), [copy], { cwd: root });
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
  const tsconfig = {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: { typeRoots: [path.join(root, 'node_modules', '@types')] },
    include: ['proj', 'plugins', 'configs'],
  };
  fs.writeFileSync(path.join(cwd, 'tsconfig.json'), JSON.stringify(tsconfig));
  await run(bin('tsc'), ['--noEmit', '-p', cwd], { cwd });
});

test('a plugin that is packed and installed works the same', async () => {
  const other = workspace();
  await run('npm', ['pack', '--pack-destination', other], { cwd: path.join(cwd, 'plugins/sharp-loss') });
  // The package itself isn't in a registry; the peer is there by its link.
  await run('npm', ['install', '--legacy-peer-deps', '--no-audit', '--offline', './sharp-loss-0.1.0.tgz'], {
    cwd: other,
  });
  fs.writeFileSync(path.join(other, '.bvrc'), JSON.stringify({ plugins: ['sharp-loss'] }));
  const described = await bv(['describe', 'loss:sharp_loss'], { cwd: other });
  expect(described.stdout).toContain('squared distance');
  expect(await train('node_modules/sharp-loss/config.ts', other)).toMatchObject({ code: 0 });
});

describe('mistakes', () => {
  test('an unknown kind', async () => {
    expectUserError(
      await bv(['new', 'modell', 'x'], { cwd }),
      /no template for "modell"\. Did you mean "model"\?/,
    );
  });
  test('a name that is none', async () => {
    expectUserError(
      await bv(['new', 'model', 'My Model'], { cwd }),
      /"My Model" can't be the name of a plugin/,
    );
  });
  test('what is there is not written over', async () => {
    expectUserError(
      await bv(['new', 'loss', 'sharp-loss'], { cwd }),
      /plugins\/sharp-loss is already there; nothing was written/,
    );
  });
});
