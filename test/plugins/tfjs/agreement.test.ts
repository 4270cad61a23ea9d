// The same config gives the same losses on every runtime.

import { metricsOf, trainToEnd } from '../../support/runs';
import { temporaryFolder } from '../../support/temporary';

const config = 'test/fixtures/configs/tiny_mnist.ts:steps=20';

const evals = {
  test: {
    type: 'classification',
    data: { name: 'mnist', split: 'test' },
    pp_fn: "decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')",
    loss_name: 'softmax_xent',
    log_steps: 20,
    skip_first: true,
  },
};

async function measure(runtime: string) {
  const workdir = temporaryFolder();
  const overrides = [`--config.evals=${JSON.stringify(evals)}`, '--config.lr=0.02'];
  // The seed's dropout masks are the same everywhere too.
  const run = await trainToEnd(config, workdir, '--runtime', runtime, ...overrides);
  expect(run).toMatchObject({ code: 0 });
  const rows = metricsOf(workdir);
  const { 'test/prec@1': accuracy, 'test/loss': loss } = rows.at(-1) as Record<string, number>;
  return { losses: rows.map((row) => row.training_loss as number), accuracy, loss };
}

test('xla, wasm and cpu agree over 20 steps, and on what they evaluate to', async () => {
  const xla = await measure('xla');
  expect(xla.losses).toHaveLength(20);
  expect(xla.losses[19]).toBeLessThan(0.99 * (xla.losses[0] as number));
  expect(xla.accuracy).toBeGreaterThan(0.12);
  for (const runtime of ['wasm', 'cpu']) {
    const { losses, accuracy, loss } = await measure(runtime);
    losses.forEach((loss, i) => expect(Math.abs(loss / (xla.losses[i] as number) - 1)).toBeLessThan(1e-4));
    expect(Math.abs((loss as number) / (xla.loss as number) - 1)).toBeLessThan(1e-4);
    // One of 1,500 may be so close that rounding decides.
    expect(Math.abs((accuracy as number) - (xla.accuracy as number))).toBeLessThan(1e-3);
  }
});
