// The original's train.py (and its GSAM trainer) from the same seed on the same batches: every measurement of every
// step, and the final parameters.

import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const cases = goldenCases(
  ({ kind, name }) => kind === 'train' && ['train', 'proj/gsam/train'].includes(name),
);

test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
  const golden = await readCase(folder);
  expect(expectCase(await trainCase(runtime, golden), golden)).toBeLessThan(1e-4);
});
