// The launch scripts: their syntax, and what they start, with the launchers stood in for.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as path from 'node:path';
import { defaultLoadersSync } from 'cosmiconfig';
import { trainOptions } from '../core/cli/options';
import { placeOf } from '../core/processes/place';
import { installed } from '../plugins/xla/install';
import { temporaryFolder } from './support/temporary';

const folder = path.join(__dirname, '..', 'launch');
const read = (file: string) => fs.readFileSync(path.join(folder, file), 'utf8');

/** A folder of commands that do what the scripts given for them say. */
function commands(bodies: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const bin = temporaryFolder();
  for (const [name, body] of Object.entries(bodies)) {
    fs.writeFileSync(path.join(bin, name), `#!/usr/bin/env bash\n${body}\n`, { mode: 0o755 });
  }
  return { ...process.env, PATH: `${bin}:${process.env.PATH}` };
}

const flagsOf = (words: readonly string[]) =>
  words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));

test.each(fs.readdirSync(folder))('%s says how it is used', (file) => {
  const header = read(file)
    .split('\n')
    .filter((line) => line.startsWith('#') && !line.startsWith('#!') && !line.startsWith('#SBATCH'));
  expect(header.length).toBeGreaterThan(5);
  if (file.endsWith('.sh')) execFileSync('bash', ['-n', path.join(folder, file)]);
});

test('a TPU slice: one command on all hosts, each with its number', () => {
  const home = temporaryFolder();
  fs.mkdirSync(path.join(home, 'bv'));
  const env = {
    ...commands({
      gcloud: 'printf "%s\\n" "$@"',
      curl: `case "\${@: -1}" in
        */worker-network-endpoints) echo "unknown:unknown:10.0.0.2,unknown:unknown:10.0.0.3,unknown:unknown:10.0.0.4" ;;
        */agent-worker-number) echo 2 ;;
        esac`,
      node: 'printf "%s\\n" "$@"',
    }),
    HOME: home,
  };
  const more = ['--config', "configs/vit_mnist.ts:a='b c'", '--workdir', '/mnt/run'];
  const script = path.join(folder, 'tpu_pod.sh');
  const said = execFileSync('bash', [script, 'slice', 'us-x1', ...more], { env, encoding: 'utf8' });
  const [ssh, remote] = said.split('--command\n') as [string, string];
  expect(ssh.split('\n')).toEqual(expect.arrayContaining(['slice', 'us-x1', '--worker=all']));
  const words = execFileSync('bash', ['-c', remote], { env, encoding: 'utf8' }).trim().split('\n');
  expect(words.slice(0, 2)).toEqual(['bin/bv.js', 'train']);
  expect(words.slice(-4)).toEqual(more);
  for (const flag of flagsOf(words)) expect(Object.keys(trainOptions)).toContain(flag);
  const value = (flag: string) => words[words.indexOf(flag) + 1] as string;
  const flags = {
    processes: Number(value('--processes')),
    process: value('--process'),
    coordinator: value('--coordinator'),
  };
  expect(placeOf(flags, {})).toEqual({ index: 2, count: 3, coordinator: '10.0.0.2:8476' });
});

test('SLURM: a run that was told to stop is queued again, and a failure is not', () => {
  const run = (code: number) => {
    const env = commands({
      srun: `echo "srun $*"; exit ${code}`,
      scontrol: 'echo "scontrol $*"',
    });
    const args = [path.join(folder, 'slurm.sh'), '--config', 'a.ts', '--workdir', 'w'];
    return spawnSync('bash', args, { env: { ...env, SLURM_JOB_ID: '7' }, encoding: 'utf8' });
  };
  const stopped = run(75);
  expect(stopped.stdout).toMatch(
    /^srun .*node bin\/bv\.js train --config a\.ts --workdir w\nscontrol requeue 7\n$/,
  );
  expect(stopped.status).toBe(75);
  expect(run(1)).toMatchObject({ status: 1, stdout: expect.not.stringContaining('scontrol') as string });
});

/** As SLURM has it: a number of tasks with their places, which get the step's signals; the worst of their codes. */
const fakeSrun = `
  while [[ $1 == --* ]]; do shift; done
  pids=()
  for task in 0 1; do SLURM_PROCID=$task "$@" & pids+=($!); done
  trap 'kill -TERM "\${pids[@]}"' TERM
  echo $$ > "$STEP_PID"
  worst=0
  for pid in "\${pids[@]}"; do
    wait "$pid"; code=$?
    # A signal ends the waiting, and not the task.
    if ((code > 128)); then wait "$pid"; code=$?; fi
    if ((code > worst)); then worst=$code; fi
  done
  exit "$worst"`;

(installed('cpu') ? test : test.skip)(
  'SLURM: two real processes find each other, and are queued again with a checkpoint when their time is up',
  async () => {
    // The command is relative to the clone.
    const workspace = temporaryFolder();
    const root = path.join(__dirname, '..');
    fs.symlinkSync(path.join(root, 'bin'), path.join(workspace, 'bin'));
    const plugins = [path.join(root, 'test', 'fixtures', 'plugins', 'stand-in')];
    fs.writeFileSync(
      path.join(workspace, 'package.json'),
      JSON.stringify({ name: 'for-tests', bv: { plugins } }),
    );
    const workdir = temporaryFolder();
    const stepPid = path.join(workspace, 'step.pid');
    const job = await freeJob();
    const env = {
      ...commands({ srun: fakeSrun, scontrol: 'echo "scontrol $*"' }),
      SLURM_JOB_ID: String(job),
      SLURM_STEP_NUM_TASKS: '2',
      SLURM_STEP_NODELIST: 'localhost',
      STEP_PID: stepPid,
      BV_NO_INSTALL: '1',
    };
    const config = `${path.join(root, 'test', 'fixtures', 'configs', 'tiny_mnist.ts')}:steps=1000000,ckpt=1000000`;
    const more = ['--workdir', workdir, '--runtime', 'stand-in', '--devices', '2'];
    const args = [path.join(folder, 'slurm.sh'), '--config', config, ...more];
    const batch = spawn('bash', args, { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [batch.stdout, batch.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => batch.on('close', resolve));
    const metrics = path.join(workdir, 'big_vision_metrics.txt');
    const trains = () => fs.existsSync(metrics) && fs.statSync(metrics).size > 0;
    while (!trains() && batch.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
    if (trains()) process.kill(Number(fs.readFileSync(stepPid, 'utf8')), 'SIGTERM');
    const code = await ended;
    expect({ code, said }).toEqual({
      code: 75,
      said: expect.stringContaining('devices of 2 processes') as string,
    });
    expect(said).toContain(`scontrol requeue ${job}`);
    const [checkpoint] = fs.readdirSync(path.join(workdir, 'checkpoints')) as [string];
    const files = fs.readdirSync(path.join(workdir, 'checkpoints', checkpoint));
    expect(files).toEqual(
      expect.arrayContaining(['part-00000.safetensors', 'part-00001.safetensors', 'manifest.json']),
    );
  },
);

/** A job whose port for the coordinator is free. */
async function freeJob(): Promise<number> {
  for (;;) {
    const job = Math.floor(Math.random() * 4000);
    const server = createServer();
    const listens = await new Promise<boolean>((resolve) =>
      server.once('error', () => resolve(false)).listen(61_000 + job, () => resolve(true)),
    );
    if (!listens) continue;
    await new Promise((resolve) => server.close(resolve));
    return job;
  }
}

test('Kubernetes: the pods of a JobSet know their places', () => {
  interface Container {
    command: string[];
    env: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[];
  }
  interface JobSet {
    kind: string;
    metadata: { name: string };
    spec: {
      replicatedJobs: {
        name: string;
        template: {
          spec: {
            parallelism: number;
            completions: number;
            completionMode: string;
            template: { spec: { containers: Container[] } };
          };
        };
      }[];
    };
  }
  const jobset = defaultLoadersSync['.yaml']('jobset.yaml', read('jobset.yaml')) as JobSet;
  expect(jobset.kind).toBe('JobSet');
  const [job] = jobset.spec.replicatedJobs as [JobSet['spec']['replicatedJobs'][number]];
  const { parallelism, completions, completionMode, template } = job.template.spec;
  expect(completionMode).toBe('Indexed');
  const [{ command, env }] = template.spec.containers as [Container];
  for (const flag of flagsOf(command)) expect(Object.keys(trainOptions)).toContain(flag);
  const values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  const place = placeOf({}, { ...values, BV_PROCESS: '3' });
  // JobSet's name for the first pod: the set's, the job's, the job's number, the pod's number; then the service's.
  const { name } = jobset.metadata;
  expect(place).toEqual({
    index: 3,
    count: parallelism,
    coordinator: `${name}-${job.name}-0-0.${name}:8476`,
  });
  expect(completions).toBe(parallelism);
  const index = env.find(({ name }) => name === 'BV_PROCESS');
  expect(index?.valueFrom?.fieldRef.fieldPath).toContain('job-completion-index');
});
