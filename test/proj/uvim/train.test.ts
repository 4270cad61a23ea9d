// Both stages against the original's updates: measurements of every step, the final parameters and the dictionary.

import { join } from 'node:path';
import { XlaRuntime } from '../../../plugins/xla';
import { newestContent } from '../../support/checkpoints';
import { expectCase, folderOf, type GoldenCase, readCase } from '../../support/golden';
import { temporaryFolder } from '../../support/temporary';
import { trainCase } from '../../support/train';

/** The case with its config in our form. */
function asOurs(golden: GoldenCase): GoldenCase {
  const { w_commitment, freeze_dict, min_depth, max_depth, ...stock } = golden.args.config as Record<
    string,
    unknown
  >;
  const uvim = { stage: 1, task: 'depth', min_depth, max_depth, w_commitment, freeze_dict };
  return { ...golden, args: { config: { ...stock, uvim, ckpt_steps: stock.total_steps } } };
}

test.each([1, 4])('stage I on %d devices', async (devices) => {
  const golden = asOurs(await readCase('train_uvim_depth'));
  const runtime = await XlaRuntime.create({ platform: 'cpu', devices });
  try {
    const workdir = temporaryFolder();
    const got = await trainCase(runtime, golden, { workdir });
    const { arrays } = await newestContent(workdir);
    for (const [name, array] of arrays) {
      if (name.startsWith('extra/variables/')) got.set(name.replace('extra/variables', 'state'), array);
    }
    expectCase(got, golden);
  } finally {
    runtime.dispose();
  }
});

test('stage II, on the words of a frozen stage I', async () => {
  const golden = await readCase('train_uvim_stage2');
  const { oracle, ...stock } = golden.args.config as { oracle: object };
  const frozen = { ...oracle, task: 'depth', model_init: join(folderOf(golden.folder), 'oracle.npz') };
  const config = { ...stock, uvim: { stage: 2, oracle: frozen } };
  const runtime = await XlaRuntime.create({ platform: 'cpu' });
  try {
    expectCase(await trainCase(runtime, { ...golden, args: { config } }), golden);
  } finally {
    runtime.dispose();
  }
});
