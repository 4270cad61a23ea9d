// The examples of the README do what it says.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bv, project, root, tinyConfig } from './support/cli';
import { temporaryFolder } from './support/temporary';

const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');

/** The code block that follows a heading. */
function exampleAfter(heading: string): string {
  const section = readme.slice(readme.indexOf(heading));
  return /```ts\n(.*?)```/s.exec(section)?.[1] as string;
}

test('the plugin in ten lines trains, from a workspace that names it', async () => {
  const folder = project({
    'grad-noise.ts': exampleAfter('## A plugin in ten lines'),
    'bv.config.ts': "export default { plugins: ['./grad-noise.ts'] };",
    'config.ts': tinyConfig({ 'grad-noise': { stddev: 0.02 } }),
  });
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'big-vision-ts'));
  const hooks = await bv(['explain', 'config.ts', '--only', 'hooks'], { cwd: folder });
  expect(hooks.stdout).toMatch(/gradients\s+traced\s+grad-noise/);

  const losses = async (config: string) => {
    const run = await bv(['train', '--config', config, '--workdir', 'run', '--config.seed=3'], {
      cwd: folder,
    });
    expect(run).toMatchObject({ code: 0 });
    const lines = fs
      .readFileSync(path.join(folder, 'run', 'big_vision_metrics.txt'), 'utf8')
      .trim()
      .split('\n');
    return lines.map((line) => JSON.parse(line) as { step: number; l2_grads: number });
  };
  const noisy = await losses('config.ts');
  expect(noisy.map(({ step }) => step)).toEqual([1, 2]);
  fs.rmSync(path.join(folder, 'run'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'plain.ts'), tinyConfig());
  const plain = await losses('plain.ts');
  // Noise of this size on some thousand gradients is what their norm then consists of.
  expect(noisy[0]?.l2_grads).toBeGreaterThan(plain[0]?.l2_grads as number);
});

test('the reference of hooks is what its generator makes', () => {
  const made = path.join(temporaryFolder(), 'hooks.md');
  execFileSync(process.execPath, ['-r', './core/register', 'docs/make-hooks.ts', made], { cwd: root });
  // If this fails: npm run docs
  expect(fs.readFileSync(path.join(root, 'docs', 'hooks.md'), 'utf8')).toBe(fs.readFileSync(made, 'utf8'));
});

test('the commands of the README are those of package.json', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(readme).toContain('npm install && npm start');
  expect(readme).toContain('npm install && npm test');
  expect(scripts.start).toContain('configs/vit_mnist.ts');
  for (const [file] of readme.matchAll(/(?<=--config |explain )configs\/[\w/]+\.ts/g)) {
    expect([file, fs.existsSync(path.join(root, file))]).toEqual([file, true]);
  }
});
