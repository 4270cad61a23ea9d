// The table of lowerings is complete: each kernel of tfjs is lowered, or the documentation says why not.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tfjs from '@tensorflow/tfjs-core';
import { lowerings } from '../../../plugins/xla/kernels';

/** tfjs-core exports the name of each kernel as a constant of that name. */
const names = Object.entries(tfjs).flatMap(([name, value]) =>
  typeof value === 'string' && value === name && /^_?[A-Z]/.test(value) ? [value] : [],
);

test('tfjs has about as many kernels as when this was written', () => {
  expect(names.length).toBeGreaterThanOrEqual(180);
});

test.each(names)('%s is lowered, or says why not', (name) => {
  const lowering = lowerings.get(name);
  expect(lowering).toBeDefined();
  if (typeof lowering !== 'function') expect(lowering!.reason).toMatch(/\w{2,} \w{2,}/);
});

test('the documentation lists what is not lowered, with the reasons, and nothing else', () => {
  const text = fs.readFileSync(path.join(__dirname, '../../../docs/engine.md'), 'utf8');
  const section = /## Kernels that don't run\n([\s\S]*?)\n## /.exec(`${text}\n## `)![1]!;
  const documented = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)].flatMap(([, kernels, reason]) =>
    [...kernels!.matchAll(/`(\w+)`/g)].map(([, name]) => [name, reason!.trim()]),
  );
  const unlowered = [...lowerings].flatMap(([name, lowering]) =>
    typeof lowering === 'function' ? [] : [[name, lowering.reason]],
  );
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(unlowered));
});
