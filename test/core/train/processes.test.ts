// Training by several real processes: each makes its rows of every batch, and writes its blocks of a checkpoint; the first
// writes the metrics. Their devices are stood in for (test/fixtures/plugins/stand-in), since the CPU plugin's are of one process.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { installed } from '../../../plugins/xla/install';
import { freeAddress, startBv } from '../../support/processes';
import { metricsOf } from '../../support/runs';
import { temporaryFolder } from '../../support/temporary';

const root = path.join(__dirname, '..', '..', '..');
const workspace = temporaryFolder();
fs.writeFileSync(
  path.join(workspace, 'package.json'),
  JSON.stringify({
    name: 'for-tests',
    bv: { plugins: ['stand-in', 'told'].map((name) => path.join(root, 'test', 'fixtures', 'plugins', name)) },
  }),
);

/** The state is split over all devices, so that each process has its part of it. */
const strategy = `--config.sharding_strategy=${JSON.stringify([['.*', "fsdp('data', min_size_to_shard_mb=0)"]])}`;

async function start(workdir: string, count: number, argument: string, ...more: string[]) {
  const file = path.join(root, 'test', 'fixtures', 'configs', 'tiny_mnist.ts');
  const config = `${file}:ckpt=8,${argument}`;
  const args = ['train', '--config', config, '--workdir', workdir, '--runtime', 'stand-in', '--devices', '4'];
  const coordinator = await freeAddress();
  return Array.from({ length: count }, (_, index) => {
    const place = ['--processes', `${count}`, '--process', `${index}`, '--coordinator', coordinator];
    return startBv(
      [...args, strategy, '--config.keep_ckpt_steps=8', ...more, ...(count > 1 ? place : [])],
      workspace,
    );
  });
}

async function train(workdir: string, count: number, steps: number): Promise<void> {
  const ended = await Promise.all((await start(workdir, count, `steps=${steps}`)).map(({ ended }) => ended));
  for (const { code, stderr } of ended) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

function lossesOf(workdir: string): number[][] {
  return metricsOf(workdir).map(({ step, training_loss, l2_params }) => [step!, training_loss!, l2_params!]);
}

interface Manifest {
  readonly arrays: {
    readonly parts?: readonly { readonly bytes: number; readonly blocks: Record<string, { name: string }> }[];
  };
}

const manifestOf = (workdir: string, step: number) =>
  JSON.parse(
    fs.readFileSync(
      path.join(workdir, 'checkpoints', String(step).padStart(9, '0'), 'manifest.json'),
      'utf8',
    ),
  ) as Manifest;

(installed('cpu') ? describe : describe.skip)('bv train by several processes', () => {
  const alone = temporaryFolder();
  beforeAll(() => train(alone, 1, 16));

  test('two are as one, and each writes its part; one, and four, go on from there', async () => {
    const two = temporaryFolder();
    await train(two, 2, 16);
    expect(lossesOf(two)).toHaveLength(16);
    expect(lossesOf(two)).toEqual(lossesOf(alone));
    const { parts = [] } = manifestOf(two, 8).arrays;
    expect(parts).toHaveLength(2);
    const [first, second] = parts.map(({ bytes }) => bytes) as [number, number];
    expect(Math.min(first, second) / Math.max(first, second)).toBeGreaterThan(0.7);
    // What is on every device is written once.
    const names = parts.map(({ blocks }) => Object.values(blocks).map(({ name }) => name));
    expect(names.flat().filter((name) => name === 'step')).toHaveLength(1);
    for (const list of names) expect(list).toContain('params/head/kernel');

    for (const count of [1, 4]) {
      const workdir = temporaryFolder();
      fs.cpSync(two, workdir, { recursive: true });
      fs.rmSync(path.join(workdir, 'checkpoints', '000000016'), { recursive: true });
      await train(workdir, count, 16);
      expect(lossesOf(workdir)).toEqual(lossesOf(alone));
    }
  });

  test('one is told to stop: all stop after one step, with a checkpoint', async () => {
    const workdir = temporaryFolder();
    const runs = await start(workdir, 2, 'steps=100000');
    const metrics = path.join(workdir, 'big_vision_metrics.txt');
    while (!fs.existsSync(metrics) || fs.statSync(metrics).size === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
    runs[1]?.child.kill('SIGTERM');
    const ended = await Promise.all(runs.map(({ ended }) => ended));
    expect(ended.map(({ code }) => code)).toEqual([75, 75]);
    const [step] = lossesOf(workdir).at(-1) as [number];
    const newest = fs.readdirSync(path.join(workdir, 'checkpoints')).sort().at(-1);
    expect(newest).toBe(String(step).padStart(9, '0'));
    expect(manifestOf(workdir, step).arrays.parts).toHaveLength(2);
  });

  test.each([1, 2])(
    '%d told to stop while evaluating: broken off, with a checkpoint, and made up for',
    async (count) => {
      const workdir = temporaryFolder();
      const evaluated = () => metricsOf(workdir).flatMap((row) => ('val/prec@1' in row ? [row.step] : []));
      const pp = `sigterm_once('${workdir}/told')|decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')`;
      const run = async () => {
        const runs = await start(workdir, count, 'steps=12,evals=6', `--config.evals.val.pp_fn=${pp}`);
        return Promise.all(runs.map(async ({ ended }) => (await ended).code));
      };
      expect(await run()).toEqual(Array(count).fill(75));
      expect(fs.readdirSync(path.join(workdir, 'checkpoints'))).toEqual(['000000006']);
      expect(evaluated()).toEqual([]);
      expect(await run()).toEqual(Array(count).fill(0));
      expect(evaluated()).toEqual([6, 12]);
      expect(metricsOf(workdir).map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    },
  );

  test('the CPU plugin itself runs no program over processes, and says so', async () => {
    const coordinator = await freeAddress();
    const args = ['train', '--config', path.join(root, 'test', 'fixtures', 'configs', 'tiny_mnist.ts')];
    const more = ['--no-workdir', '--runtime', 'xla', '--processes', '2', '--coordinator', coordinator];
    const ended = await Promise.all(
      ['0', '1'].map((index) => startBv([...args, ...more, '--process', index], workspace).ended),
    );
    for (const { code, stderr } of ended) {
      expect(code).toBe(2);
      expect(stderr).toContain('The run has 2 processes, and the devices of the cpu plugin are of 1.');
    }
  });
});
