// A project's config in small: killed after a checkpoint and started again, it ends with the bits of a run that wasn't.

import { finalDigest, metricsOf, trainToEnd, trainUntil } from './runs';
import { temporaryFolder } from './temporary';

const otherUnits = ['epochs', 'examples', 'percent'].flatMap((unit) => [`total_${unit}`, `ckpt_${unit}`]);
const small = {
  ...Object.fromEntries(otherUnits.map((key) => [key, 'null'])),
  total_steps: '10',
  log_training_steps: '1',
  ckpt_steps: '4',
  evals: '{}',
};

/** `overrides`: of the config, beside what makes the run one of ten steps and leaves evaluators out. */
export function shortRun(overrides: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries({ ...small, ...overrides }).map(([key, value]) => `--config.${key}=${value}`);
}

/** `whole`: the workdir of a run with these arguments. */
export async function expectExactResumption(config: string, args: string[], whole: string): Promise<void> {
  const killed = temporaryFolder();
  const end = { step: 4, signal: 'SIGKILL' } as const;
  expect(await trainUntil(end, config, killed, ...args)).toMatchObject({ signal: 'SIGKILL' });
  expect(finalDigest(killed).step).toBe(4);
  expect(await trainToEnd(config, killed, ...args)).toMatchObject({ code: 0 });

  expect(finalDigest(killed)).toEqual(finalDigest(whole));
  const losses = (workdir: string) => metricsOf(workdir).map(({ training_loss }) => training_loss);
  expect(losses(killed)).toEqual(losses(whole));
}
