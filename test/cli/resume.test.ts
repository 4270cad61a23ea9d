// A run that was killed, however often and at whatever moment, ends with the same bits as one that never was.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { metricsFile } from '../../core/train/metrics';
import { finalDigest, metricsOf, startTraining, trainToEnd, trainUntil, until } from '../support/runs';
import { temporaryFolder } from '../support/temporary';

const config = 'test/fixtures/configs/tiny_mnist.ts';

/** Deterministic "random" moments: a failure can be repeated. */
function* moments(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state / 2 ** 32;
  }
}

const newestStep = (workdir: string) =>
  fs.existsSync(path.join(workdir, 'checkpoints')) ? finalDigestStep(workdir) : 0;

function finalDigestStep(workdir: string): number {
  const steps = fs.readdirSync(path.join(workdir, 'checkpoints')).filter((name) => /^\d+$/.test(name));
  return Math.max(0, ...steps.map(Number));
}

/** Starts the run again and again, killing it `kills` times, and then lets it end. Every other kill is during a write. */
async function trainWithKills(
  argument: string,
  workdir: string,
  kills: number,
): Promise<{ duringWrites: number }> {
  const random = moments(kills);
  let duringWrites = 0;
  for (let i = 0; i < kills; i++) {
    const { process: child, ended } = startTraining(`${config}:${argument}`, workdir);
    const before = newestStep(workdir);
    const folder = path.join(workdir, 'checkpoints');
    const writing = () =>
      fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith('.partial'));
    if (i % 2 === 0) {
      // Wait for some progress, so that the kills spread over the whole run, and then for a while.
      await until(() => newestStep(workdir) > before, child);
      await new Promise((resolve) => setTimeout(resolve, random.next().value * 60));
    } else {
      await until(() => newestStep(workdir) > before, child);
      await until(writing, child);
      if (writing()) duringWrites++;
    }
    child.kill('SIGKILL');
    await ended;
  }
  const last = await trainToEnd(`${config}:${argument}`, workdir);
  expect(last).toMatchObject({ code: 0 });
  return { duringWrites };
}

const losses = (workdir: string) =>
  metricsOf(workdir).map(({ step, training_loss }) => [step, training_loss]);

test('the same config and seed give the same bits twice, and another seed gives others', async () => {
  const [a, b, c] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  for (const workdir of [a, b])
    expect(await trainToEnd(`${config}:steps=12`, workdir)).toMatchObject({ code: 0 });
  expect(await trainToEnd(`${config}:steps=12`, c, '--config.seed=1')).toMatchObject({ code: 0 });
  expect(finalDigest(a)).toEqual(finalDigest(b));
  expect(losses(a)).toEqual(losses(b));
  expect(finalDigest(c).sha256).not.toBe(finalDigest(a).sha256);
});

test('killed at 20 moments, among them during checkpoint writes', async () => {
  const argument = 'steps=400,ckpt=5';
  const [whole, killed] = [temporaryFolder(), temporaryFolder()];
  expect(await trainToEnd(`${config}:${argument}`, whole)).toMatchObject({ code: 0 });
  const { duringWrites } = await trainWithKills(argument, killed, 20);
  expect(duringWrites).toBeGreaterThan(2);
  expect(finalDigest(killed)).toEqual(finalDigest(whole));
  expect(losses(killed)).toEqual(losses(whole));
});

test('a plugin that changes gradients resumes as exactly', async () => {
  const argument = 'steps=120,ckpt=4,gsam';
  const [whole, killed] = [temporaryFolder(), temporaryFolder()];
  expect(await trainToEnd(`${config}:${argument}`, whole)).toMatchObject({ code: 0 });
  await trainWithKills(argument, killed, 4);
  expect(finalDigest(killed)).toEqual(finalDigest(whole));
});

test('SIGTERM writes a checkpoint and ends with its own code; the same command goes on', async () => {
  const argument = 'steps=300,ckpt=1000';
  const [whole, stopped] = [temporaryFolder(), temporaryFolder()];
  expect(await trainToEnd(`${config}:${argument}`, whole)).toMatchObject({ code: 0 });
  const end = { step: 1, signal: 'SIGTERM' } as const;
  expect(await trainUntil(end, `${config}:${argument}`, stopped)).toMatchObject({ code: 75 });
  const { step } = finalDigest(stopped);
  expect(step).toBeGreaterThan(0);
  expect(step).toBeLessThan(300);
  expect(await trainToEnd(`${config}:${argument}`, stopped)).toMatchObject({ code: 0 });
  expect(finalDigest(stopped)).toEqual(finalDigest(whole));
});

/** The rows without what depends on the clock. */
const measured = (workdir: string) =>
  metricsOf(workdir).map((row) => {
    const entries = Object.entries(row).filter(([name]) =>
      /^(step|training_loss|l2_.*|lr|val\/.*)$/.test(name),
    );
    return Object.fromEntries(entries);
  });

test('what a kill leaves out of the metrics of a checkpoint is made up for', async () => {
  const argument = 'steps=12,ckpt=6,evals=6';
  const more = '--config.keep_ckpt_steps=6';
  const whole = temporaryFolder();
  expect(await trainToEnd(`${config}:${argument}`, whole, more)).toMatchObject({ code: 0 });
  expect(measured(whole)).toHaveLength(12);
  const evaluated = (row: object) => 'val/prec@1' in row;
  expect(metricsOf(whole).filter(evaluated)).toHaveLength(2);
  // Killed after the checkpoint: before the step's row was written, after it but before the evaluation, after both.
  const rowOf6 = metricsOf(whole).find(({ step }) => step === 6) as Record<string, number>;
  const trained = Object.entries(rowOf6).filter(([name]) => !/^val|eval/.test(name));
  for (const left of [[], [Object.fromEntries(trained)], [rowOf6]]) {
    const workdir = temporaryFolder();
    fs.cpSync(whole, workdir, { recursive: true });
    fs.rmSync(path.join(workdir, 'checkpoints', '000000012'), { recursive: true });
    const rows = [...metricsOf(whole).filter(({ step }) => (step as number) < 6), ...left];
    fs.writeFileSync(path.join(workdir, metricsFile), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(await trainToEnd(`${config}:${argument}`, workdir, more)).toMatchObject({ code: 0 });
    expect(finalDigest(workdir)).toEqual(finalDigest(whole));
    expect(measured(workdir)).toEqual(measured(whole));
  }
});

test('a run that is done evaluates again when it is started again, in place of what it had', async () => {
  const workdir = temporaryFolder();
  const argument = 'steps=12,ckpt=6,evals=6';
  expect(await trainToEnd(`${config}:${argument}`, workdir)).toMatchObject({ code: 0 });
  const before = measured(workdir);
  expect(await trainToEnd(`${config}:${argument}`, workdir)).toMatchObject({ code: 0 });
  expect(measured(workdir)).toEqual(before);
});
