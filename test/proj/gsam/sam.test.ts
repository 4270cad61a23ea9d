import * as path from 'node:path';
import { findConfig, loadConfig } from '../../../core/config/load';
import { expectExactResumption, shortRun } from '../../support/resumption';
import { trainToEnd } from '../../support/runs';
import { temporaryFolder } from '../../support/temporary';

// The ledger does this with GSAM.
test('a killed run with SAM goes on with the same bits', async () => {
  const [config, args, whole] = ['configs/proj/gsam/vit_mnist_sam.ts', shortRun(), temporaryFolder()];
  expect(await trainToEnd(config, whole, ...args)).toMatchObject({ code: 0 });
  await expectExactResumption(config, args, whole);
});

test('SAM is GSAM without the gap and with one rho', async () => {
  const root = path.join(__dirname, '../../..');
  const load = (arg: string) => loadConfig(findConfig(`configs/proj/gsam/${arg}`, [root]));
  const { header: _, ...sam } = await load('vit_mnist_sam.ts:epochs=3');
  const { header: __, ...gsam } = await load('vit_mnist_gsam.ts:epochs=3');
  expect(sam).toEqual({ ...gsam, gsam: { rho_max: 0.05, rho_min: 0.05, alpha: 0 } });
});
