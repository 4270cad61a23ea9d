// The text transformer against recordings of the original.

import type { Model } from '../../../core/extensions';
import { textOptions, textTransformer } from '../../../plugins/text';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { initCase, runModelCase } from '../../support/model-cases';
import { onRuntimes } from '../../support/runtimes';

const name = 'proj/image_text/text_transformer';
const modelOf = (args: object): Model => textTransformer(textOptions.parse(args));
const folders = (kind: string) =>
  goldenCases((info) => info.kind === kind && info.name === name).map(({ folder }) => folder);

onRuntimes((use) => {
  test.each(folders('model'))('%s', async (folder) => {
    const golden = await readCase(folder);
    expectCase(await runModelCase(use.runtime, golden, modelOf(golden.args), {}), golden);
  });
});

test.each(folders('init_exact'))('%s', async (folder) => {
  const runtime = await XlaRuntime.create({ platform: 'cpu' });
  const golden = await readCase(folder);
  const got = await initCase(runtime, golden, modelOf(golden.args));
  expect([...got.keys()].sort()).toEqual([...golden.outputs.keys()].sort());
  expectCase(got, golden);
  runtime.dispose();
});

test('refuses a variant that is none', () => {
  expect(textOptions.safeParse({ variant: 'huge' }).error?.message).toMatch(/NAME one of mu, Ti, S/);
});
