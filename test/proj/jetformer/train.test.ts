// Three steps of training against recordings of the original, from the same parameters; the transformer, its initial values,
// drawing and patches are compared by test/cli/parity.

import { join } from 'node:path';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, folderOf, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

// A step has two loops and their gradients: compiling it takes most of the time.
let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test.each(['train_jetformer', 'train_jetformer_prefix'])('%s', async (folder) => {
  const golden = await readCase(folder);
  const { config, jetformer } = golden.args as { config: { model_init: string }; jetformer: object };
  const model_init = join(folderOf(folder), config.model_init);
  expectCase(
    await trainCase(runtime, { ...golden, args: { config: { ...config, model_init, jetformer } } }),
    golden,
  );
});
