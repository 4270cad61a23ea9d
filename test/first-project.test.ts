// The walk-through, block by block, in a workspace outside of the repository: its files are written, its commands run, and
// they print what it says.

import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { project, root } from './support/cli';

const guide = fs.readFileSync(path.join(root, 'docs', 'first-project.md'), 'utf8');
const blocks = [...guide.matchAll(/^```(\S+)( setup)?\n(.*?)^```$/gms)].map(([, language, setup, text]) => ({
  language,
  setup: setup !== undefined,
  text: text as string,
}));

/** An empty workspace in which the package is installed: what the blocks marked `setup` do. */
function workspace(): string {
  const folder = project({ 'package.json': '{"name": "digits", "private": true}' });
  const bin = path.join(folder, 'node_modules', '.bin');
  fs.mkdirSync(bin, { recursive: true });
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'big-vision-ts'));
  fs.symlinkSync(path.join(root, 'bin', 'bv.js'), path.join(bin, 'bv'));
  return folder;
}

/** Numbers differ between machines, and spaces between terminals. */
const comparable = (text: string) => text.replace(/[\d.]+/g, 'N').replace(/\s+/g, ' ');

test('the walk-through ends with a trained model, a plot and a passing test', async () => {
  const cwd = workspace();
  const env = { ...process.env, NO_COLOR: '1' };
  let printed = '';
  for (const { language, setup, text } of blocks) {
    if (setup) continue;
    if (language === 'ts') {
      const [, file] = /^\/\/ (\S+)\n/.exec(text) as RegExpExecArray;
      expect([file, fs.existsSync(path.join(cwd, file as string))]).toEqual([file, true]);
      fs.writeFileSync(path.join(cwd, file as string), text.slice(text.indexOf('\n') + 1));
    } else if (language === 'sh') {
      printed = '';
      for (const command of text.trim().split('\n')) {
        const [program, ...args] = command.split(' ');
        printed += (await promisify(execFile)(program as string, args, { cwd, env })).stdout;
      }
    } else {
      expect(language).toBe('text');
      for (const line of text.trim().split('\n')) expect(comparable(printed)).toContain(comparable(line));
    }
  }
  expect(fs.readFileSync(path.join(cwd, 'losses.svg'), 'utf8')).toMatch(/^<svg/);
  expect(fs.readdirSync(path.join(cwd, 'runs', 'cutmix', 'checkpoints'))).toEqual(['000000199']);
});
