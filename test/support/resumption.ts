// A project's config in small: killed after a checkpoint and started again, it ends with the bits of a run that wasn't.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { finalDigest, metricsOf, startTraining, trainToEnd, until } from './runs';
import { temporaryFolder } from './temporary';

const otherUnits = ['epochs', 'examples', 'percent'].flatMap((unit) => [`total_${unit}`, `ckpt_${unit}`]);
const small = {
  ...Object.fromEntries(otherUnits.map((key) => [key, 'null'])),
  total_steps: '12',
  log_training_steps: '1',
  ckpt_steps: '2',
  'input.batch_size': '8',
};

/** `overrides`: of the config, beside what makes the run short; evaluators are left out. */
export async function expectExactResumption(
  config: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<void> {
  const args = Object.entries({ ...small, ...overrides }).map(([key, value]) => `--config.${key}=${value}`);
  const [whole, killed] = [temporaryFolder(), temporaryFolder()];
  expect(await trainToEnd(config, whole, ...args)).toMatchObject({ code: 0 });

  const { process: child, ended } = startTraining(config, killed, ...args);
  const checkpoints = path.join(killed, 'checkpoints');
  const written = () => fs.existsSync(checkpoints) && fs.readdirSync(checkpoints).some((name) => /^\d+$/.test(name)); // prettier-ignore
  await until(written, child);
  child.kill('SIGKILL');
  await ended;
  const { step } = finalDigest(killed);
  expect(step).toBeLessThan(12);
  expect(await trainToEnd(config, killed, ...args)).toMatchObject({ code: 0 });

  expect(finalDigest(killed)).toEqual(finalDigest(whole));
  const losses = (workdir: string) => metricsOf(workdir).map(({ training_loss }) => training_loss);
  expect(losses(killed)).toEqual(losses(whole));
}
