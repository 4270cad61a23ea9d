// The original's trainer and ours, side by side: the same small ViT from the same parameters on the same batches. Prints where
// they differ and draws both curves.
//
//   bench/setup.sh && ORIGINAL=path/to/big_vision node -r ./core/register bench/parity/run.ts [CURVES.svg]

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import Table from 'cli-table3';
import { linePlot } from '../../core/plot';
import { configFile } from '../../core/train/run';
import { type Metrics, metricsFile, readMetrics } from '../../core/train/metrics';

const { ORIGINAL, PYTHON = path.join(__dirname, '..', 'original', '.venv', 'bin', 'python') } = process.env;
const [plot = path.join(__dirname, 'curves.svg')] = process.argv.slice(2);
if (!ORIGINAL) {
  console.error(
    'Set ORIGINAL to a checkout of the original Big Vision, and PYTHON to a Python with JAX (bench/setup.sh).',
  );
  process.exit(2);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bv-parity-'));
const [recorded, ours, theirs] = ['recorded', 'ours', 'original'].map((name) => path.join(folder, name)) as [
  string,
  string,
  string,
];
const run = (command: string, args: readonly string[], env = {}) =>
  execFileSync(command, args, { cwd: __dirname, stdio: 'inherit', env: { ...process.env, ...env } });

run(process.execPath, ['../../bin/bv.js', 'train', '--config', `vit.ts:${recorded}`, '--workdir', ours]);
run(PYTHON, ['original.py', recorded, path.join(ours, configFile), theirs], { ORIGINAL });

const rows = {
  ours: readMetrics(path.join(ours, metricsFile)),
  original: JSON.parse(fs.readFileSync(path.join(theirs, 'metrics.json'), 'utf8')) as Metrics[],
};
const curve = (side: keyof typeof rows, metric: string) =>
  rows[side].flatMap((row): [step: number, value: number][] =>
    row[metric] === undefined ? [] : [[row.step as number, row[metric]]],
  );
const relative = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));

const table = new Table({
  style: { compact: true, head: [], border: [] },
  head: ['metric', 'step', 'original', 'ours', 'relative difference'],
});
for (const metric of ['training_loss', 'l2_grads', 'l2_params', 'test/loss', 'test/prec@1']) {
  const theirs = new Map(curve('original', metric));
  for (const [step, value] of curve('ours', metric)) {
    const other = theirs.get(step);
    if (other === undefined) throw new Error(`the original has no ${metric} at step ${step}`);
    if (![1, 10, 50, 100, 150, 200].includes(step)) continue;
    table.push([
      metric,
      step,
      other.toPrecision(7),
      value.toPrecision(7),
      relative(other, value).toExponential(1),
    ]);
  }
}
console.log(table.toString());
const losses = new Map(curve('original', 'training_loss'));
const worst = (upTo: number) =>
  Math.max(
    ...curve('ours', 'training_loss')
      .filter(([step]) => step <= upTo)
      .map(([step, loss]) => relative(loss, losses.get(step) as number)),
  );
console.log(
  `largest relative difference of training_loss: steps 1-100 ${worst(100).toExponential(1)}, 1-200 ${worst(200).toExponential(1)}`,
);

fs.writeFileSync(
  plot,
  linePlot({
    title: 'The same ViT, parameters and batches: training loss',
    x: { name: 'step' },
    y: { name: 'softmax_xent' },
    curves: [
      { name: 'original (JAX)', points: curve('original', 'training_loss') },
      { name: 'ours', points: curve('ours', 'training_loss'), dashed: true },
    ],
  }),
);
console.log(`${plot}\n${folder} has both runs`);
