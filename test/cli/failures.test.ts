// What a run does when the numbers or the disk let it down: one message, a code of its own, and nothing lost.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { metricsFile } from '../../core/train/metrics';
import { finalDigest, metricsOf, trainToEnd } from '../support/runs';
import { temporaryFolder } from '../support/temporary';

const config = 'test/fixtures/configs/tiny_mnist.ts';
const configOf = (workdir: string) =>
  JSON.parse(fs.readFileSync(path.join(workdir, 'config.json'), 'utf8')) as { model: { width: number } };
const noTrace = (output: string) => expect(output).not.toMatch(/^\s+at /m);

test('a loss that becomes NaN ends the run, with its metrics written and the checkpoints of before intact', async () => {
  const workdir = temporaryFolder();
  expect(await trainToEnd(`${config}:steps=12`, workdir)).toMatchObject({ code: 0 });
  const before = finalDigest(workdir);
  const run = await trainToEnd(
    `${config}:steps=40`,
    workdir,
    '--config.lr=1e30',
    '--config.grad_clip_norm=null',
  );
  expect(run.code).toBe(3);
  expect(run.output).toMatch(/(training_loss|l2_\w+) is (null|NaN|-?Infinity) at step \d+/);
  expect(run.output).toContain('lower lr');
  noTrace(run.output);
  expect(metricsOf(workdir).at(-1)?.step).toBeGreaterThan(12);
  const { step, sha256 } = finalDigest(workdir);
  if (step === before.step) expect(sha256).toBe(before.sha256);
  else expect(step).toBeLessThan(metricsOf(workdir).at(-1)?.step as number);
});

test('a workdir that cannot be made', async () => {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, '');
  const run = await trainToEnd(`${config}:steps=2`, path.join(file, 'run'));
  expect(run.code).toBe(4);
  expect(run.output).toContain(path.join(file, 'run'));
  expect(run.output).toContain('--workdir');
  noTrace(run.output);
});

test('a full disk under the metrics file', async () => {
  const workdir = temporaryFolder();
  // Every write to this device fails as on a full disk.
  fs.symlinkSync('/dev/full', path.join(workdir, metricsFile));
  const run = await trainToEnd(`${config}:steps=14`, workdir);
  expect(run.code).toBe(4);
  expect(run.output).toMatch(/the disk is full/);
  noTrace(run.output);
});

test('a checkpoint of another model', async () => {
  const workdir = temporaryFolder();
  expect(await trainToEnd(`${config}:steps=12`, workdir)).toMatchObject({ code: 0 });
  const run = await trainToEnd(`${config}:steps=14`, workdir, '--config.model.width=32');
  expect(run.code).toBe(2);
  expect(run.output).toContain('is of another model or optimizer');
  expect(run.output).toContain('params/Transformer/encoderblock_0/');
  noTrace(run.output);
  // The workdir is still that of its run.
  expect(configOf(workdir).model.width).not.toBe(32);
});

test('a config that has changed since the checkpoint is said, field by field', async () => {
  const workdir = temporaryFolder();
  expect(await trainToEnd(`${config}:steps=12`, workdir)).toMatchObject({ code: 0 });
  const run = await trainToEnd(`${config}:steps=12`, workdir, '--config.lr=0.25');
  expect(run.output).toMatch(/The config has changed since: lr [\d.]+ -> 0\.25\.\n/);
});

test('a batch without labels', async () => {
  const pp = "decode|value_range(-1, 1)|keep('image', 'label')";
  const run = await trainToEnd(`${config}:steps=12`, temporaryFolder(), `--config.input.pp=${pp}`);
  expect(run.code).toBe(2);
  expect(run.output).toMatch(/softmax_xent finds no "labels" in the batch\.\ntry: .*onehot\(/);
  noTrace(run.output);
});

test('a batch that does not divide over the devices', async () => {
  const run = await trainToEnd(config, temporaryFolder(), '--devices', '3');
  expect(run.code).toBe(2);
  expect(run.output).toMatch(/batch_size is 16, which doesn't divide over 3 devices/);
  expect(run.output).toMatch(/15 or 18/);
});
