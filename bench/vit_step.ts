// The train step of the original's ViT under JAX against ours: time, compile time and memory, as ratios measured in one run.
//
//   bench/setup.sh && ORIGINAL=path/to/big_vision node -r ./core/register bench/vit_step.ts [VARIANT] [RESOLUTION] [BATCH]
//
// Both sides run the same model, update and batch, in processes of their own that take turns.

import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

interface Measured {
  readonly trace_s: number;
  readonly compile_s: number;
  readonly step_ms: readonly number[];
  readonly losses: readonly number[];
  readonly peak_mb: number;
}

const [variant = 'Ti/16', resolution = '224', batch = '8'] = process.argv.slice(2);
const steps = '15';
const rounds = 2;
const python = process.env.PYTHON ?? path.join(__dirname, 'original', '.venv', 'bin', 'python');

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
  jax: () =>
    run(python, [path.join(__dirname, 'original', 'vit_step.py'), variant, resolution, batch, steps]),
  ours: () =>
    run(process.execPath, [
      '-r',
      path.join(__dirname, '..', 'core', 'register.js'),
      path.join(__dirname, 'ours', 'vit_step.ts'),
      variant,
      resolution,
      batch,
      steps,
    ]),
};

const results = { jax: [] as Measured[], ours: [] as Measured[] };
for (let round = 0; round < rounds; round++) {
  for (const side of ['jax', 'ours'] as const) results[side].push(sides[side]());
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
// The first steps warm caches and thread pools.
const summary = (all: readonly Measured[]) => ({
  'step ms (median)': median(all.flatMap(({ step_ms }) => step_ms.slice(3))),
  'step ms (min)': Math.min(...all.flatMap(({ step_ms }) => step_ms)),
  'compile s': Math.min(...all.map(({ compile_s }) => compile_s)),
  'trace s': Math.min(...all.map(({ trace_s }) => trace_s)),
  'peak MB': Math.min(...all.map(({ peak_mb }) => peak_mb)),
  'loss after the last step': all[0]?.losses.at(-1) as number,
});
const [jax, ours] = [summary(results.jax), summary(results.ours)];
console.log(`ViT ${variant} at ${resolution} px, batch ${batch}, ${rounds} rounds of ${steps} steps`);
console.table(
  Object.fromEntries(
    Object.keys(jax).map((key) => {
      const [a, b] = [jax[key as keyof typeof jax], ours[key as keyof typeof ours]];
      return [
        key,
        {
          JAX: Number(a.toPrecision(5)),
          ours: Number(b.toPrecision(5)),
          'JAX / ours': Number((a / b).toFixed(3)),
        },
      ];
    }),
  ),
);
