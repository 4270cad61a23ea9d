// The one-tower model against recordings of the original.

import type { Model } from '../../../core/extensions';
import towers from '../../../plugins/towers';
import vit from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import clippo from '../../../proj/clippo';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { initCase, pairLosses, runModelCase } from '../../support/model-cases';
import { register } from '../../support/pp';
import { onRuntimes } from '../../support/runtimes';

const { registry, container } = register(vit, towers, clippo as never);
const modelOf = (args: object): Model =>
  registry.create(container, 'model', 'proj.clippo.one_tower', args, 'model');
const folders = (kind: string) =>
  goldenCases((info) => info.kind === kind && info.name === 'proj/clippo/one_tower').map(
    ({ folder }) => folder,
  );

onRuntimes((use) => {
  test.each(folders('model'))('%s', async (folder) => {
    const golden = await readCase(folder);
    const how = { names: ['zimg', 'ztxt'], losses: pairLosses };
    expectCase(await runModelCase(use.runtime, golden, modelOf(golden.args), how), golden);
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
