// Train steps of the original under JAX against ours: time, compile time and memory, as ratios measured in one run, and
// their geometric means.
//
//   bench/setup.sh && ORIGINAL=path/to/big_vision node -r ./core/register bench/train_steps.ts [NAME[,NAME]...] [STEPS] [ROUNDS]
//
// The jobs are in jobs.json. Both sides run the same model, update and batch, in processes of their own that take turns.

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import jobs from './jobs.json';

interface Measured {
  readonly trace_s: number;
  readonly compile_s: number;
  readonly step_ms: readonly number[];
  readonly losses: readonly number[];
  readonly peak_mb: number;
}

const [names = Object.keys(jobs).join(), steps = '15', rounds = '2'] = process.argv.slice(2);
const python = process.env.PYTHON ?? path.join(__dirname, 'original', '.venv', 'bin', 'python');
const register = path.join(__dirname, '..', 'core', 'register.js');

if (!process.env.ORIGINAL) {
  console.error(
    'Set ORIGINAL to a checkout of the original Big Vision, and PYTHON to a Python with JAX (bench/setup.sh).',
  );
  process.exit(2);
}

function run(command: string, args: readonly string[]): Measured {
  const output = execFileSync(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  }).toString();
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Measured;
}

const sides = {
  jax: (job: string) => run(python, [path.join(__dirname, 'original', 'train_step.py'), job, steps]),
  ours: (job: string) =>
    run(process.execPath, ['-r', register, path.join(__dirname, 'ours', 'train_step.ts'), job, steps]),
};

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const geometricMean = (values: readonly number[]) =>
  Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

/** The first steps warm caches and thread pools. */
const summary = (all: readonly Measured[]) => ({
  'step ms (median)': median(all.flatMap(({ step_ms }) => step_ms.slice(Math.min(3, step_ms.length - 1)))),
  'step ms (min)': Math.min(...all.flatMap(({ step_ms }) => step_ms)),
  'compile s': Math.min(...all.map(({ compile_s }) => compile_s)),
  'trace s': Math.min(...all.map(({ trace_s }) => trace_s)),
  'peak MB': Math.min(...all.map(({ peak_mb }) => peak_mb)),
});
type Quantity = keyof ReturnType<typeof summary>;

const ratios: Record<string, Record<Quantity, number>> = {};
for (const name of names.split(',')) {
  if (!(name in jobs)) throw new Error(`No job "${name}" in jobs.json: ${Object.keys(jobs).join(', ')}`);
  const job = JSON.stringify(jobs[name as keyof typeof jobs]);
  const results = { jax: [] as Measured[], ours: [] as Measured[] };
  for (let round = 0; round < Number(rounds); round++) {
    for (const side of ['jax', 'ours'] as const) results[side].push(sides[side](job));
  }
  const [jax, ours] = [summary(results.jax), summary(results.ours)];
  const quantities = Object.keys(jax) as Quantity[];
  const rows = quantities.map((key) => [
    key,
    { JAX: jax[key], ours: ours[key], 'JAX / ours': jax[key] / ours[key] },
  ]);
  console.log(`${name}, ${job}: ${rounds} rounds of ${steps} steps`);
  console.table(Object.fromEntries(rows));
  ratios[name] = Object.fromEntries(quantities.map((key) => [key, jax[key] / ours[key]])) as Record<
    Quantity,
    number
  >;
}

const all = Object.values(ratios);
const means = Object.keys(all[0]!).map((key) => [key, geometricMean(all.map((one) => one[key as Quantity]))]);
console.log('JAX / ours');
console.table({ ...ratios, 'geometric mean': Object.fromEntries(means) });
