// What `npm publish` would send.

import { execFileSync } from 'node:child_process';
import { root } from './support/cli';

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
) as [{ readonly files: readonly { readonly path: string }[] }];
const files = packed.files.map(({ path }) => path);
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

test('the package has every file that runs, and the documents', () => {
  const wanted = tracked.filter((file) =>
    /^(bin|configs|core|docs|launch|plugins|proj|templates)\//.test(file),
  );
  expect(files).toEqual(expect.arrayContaining([...wanted, 'README.md', 'LICENSE', 'tsconfig.json']));
});

test('it has neither tests nor benchmarks', () => {
  expect(files.filter((file) => /^(test|bench|\.)/.test(file))).toEqual([]);
});
