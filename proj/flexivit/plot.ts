// Accuracy against sequence length, from the last metrics of runs whose evaluators are named test_SIZE:
//
//   node -r ./core/register proj/flexivit/plot.ts OUT.svg NAME=WORKDIR ...

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Curve, linePlot } from '../../core/plot';
import { metricsFile, readMetrics } from '../../core/train/metrics';

const [out, ...runs] = process.argv.slice(2);
if (out === undefined || runs.length === 0) throw new Error('give OUT.svg and NAME=WORKDIR ...');

const curves = runs.map((run): Curve => {
  const [name, workdir] = run.split(/=(.*)/s) as [string, string];
  const latest: Record<string, number> = Object.assign({}, ...readMetrics(path.join(workdir, metricsFile)));
  const points = Object.entries(latest).flatMap(([metric, value]): [number, number][] => {
    const size = /^test_(\d+)\/prec@1$/.exec(metric)?.[1];
    return size === undefined ? [] : [[Number(size) ** 2, value]];
  });
  return { name, points: points.sort(([a], [b]) => a - b), marked: true };
});
fs.writeFileSync(
  out,
  linePlot({
    title: 'Accuracy on test digits by sequence length',
    x: { name: 'tokens' },
    y: { name: 'accuracy' },
    curves,
  }),
);
