// The same config gives the same losses on every runtime.

import { metricsOf, trainToEnd } from '../../support/runs';
import { temporaryFolder } from '../../support/temporary';

jest.setTimeout(120_000);

const config = 'test/fixtures/configs/tiny_mnist.ts:steps=20';

async function losses(runtime: string): Promise<number[]> {
  const workdir = temporaryFolder();
  // The seed's dropout masks are the same everywhere too.
  const run = await trainToEnd(config, workdir, '--runtime', runtime);
  expect(run).toMatchObject({ code: 0 });
  return metricsOf(workdir).map((row) => row.training_loss as number);
}

test('xla, wasm and cpu agree over 20 steps', async () => {
  const xla = await losses('xla');
  expect(xla).toHaveLength(20);
  expect(xla[19]).toBeLessThan(xla[0] as number);
  for (const runtime of ['wasm', 'cpu']) {
    const other = await losses(runtime);
    other.forEach((loss, i) => expect(Math.abs(loss / (xla[i] as number) - 1)).toBeLessThan(1e-4));
  }
});
