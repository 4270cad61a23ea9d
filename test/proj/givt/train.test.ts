// Both stages against the original's updates: measurements of every step, and final parameters.

import { join } from 'node:path';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, folderOf, type GoldenCase, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

/** The case's config, with what is the original trainer's in the plugin's key. */
const withOptions = (golden: GoldenCase, givt: object): GoldenCase => ({
  ...golden,
  args: { config: { ...(golden.args.config as object), givt } },
});

test('stage I, of labels', async () => {
  const golden = await readCase('train_givt_stage1');
  const { config: _, ...options } = golden.args;
  expectCase(await trainCase(runtime, withOptions(golden, { stage: 1, ...options })), golden);
});

test('stage II, masked, on the tokens of a frozen stage I', async () => {
  const golden = await readCase('train_givt_stage2');
  const { model_init, ...vae } = golden.args.vae as { model_init: string };
  const init = join(folderOf(golden.folder), model_init);
  const got = await trainCase(runtime, withOptions(golden, { stage: 2, vae: { ...vae, model_init: init } }));
  expectCase(got, golden);
});
