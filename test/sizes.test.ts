// The trainer stays short, and what a project changes of it stays a page.

import * as fs from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '..');

/** Fewer lines than this, of the files together. */
const limits: Readonly<Record<string, { readonly files: readonly string[]; readonly below: number }>> = {
  'the trainer': { files: ['core/train/trainer.ts'], below: 300 },
  "SigLIP's side of it": { files: ['proj/image_text/index.ts', 'proj/image_text/losses.ts'], below: 80 },
  "GSAM's side of it": { files: ['proj/gsam/index.ts'], below: 60 },
};

/** Of a project's index.ts. */
const page = 80;

const linesOf = (file: string) => fs.readFileSync(path.join(root, file), 'utf8').split('\n').length - 1;

test.each(Object.entries(limits))('%s', (_, { files, below }) => {
  expect(files.map(linesOf).reduce((a, b) => a + b)).toBeLessThan(below);
});

const projects = fs
  .readdirSync(path.join(root, 'proj'))
  .filter((name) => fs.existsSync(path.join(root, 'proj', name, 'index.ts')));

test.each(projects)('proj/%s changes the trainer on a page', (name) => {
  expect(linesOf(`proj/${name}/index.ts`)).toBeLessThanOrEqual(page);
});
