// `bv plot`: curves of runs side by side.

import fs from 'node:fs';
import path from 'node:path';
import type sharpModule from 'sharp';
import { catalogue, ExitCode } from '../../errors';
import type { Curve, linePlot } from '../../plot';
import { didYouMean } from '../../suggest';
import { metricsFile, readMetrics } from '../../train/metrics';
import { shortPath } from '../../workspace/paths';
import type { CommandInput } from '../command';
import type { plotArguments, plotOptions } from '../options';
import { print } from '../print';

const errors = catalogue('bv-plot', {
  notARun: (v: { workdir: string }) => ({
    what: `${v.workdir} has no metrics: there is no ${metricsFile} in it.`,
    fix: 'give the folder that `bv train` printed, or that was given with --workdir.',
  }),
  noMetric: (v: { metric: string; names: readonly string[] }) => ({
    what: `No run has the metric "${v.metric}".${didYouMean(v.metric, v.names)} They have: ${v.names.join(', ')}.`,
    fix: 'give one of these names with --metric, or several with commas between them.',
  }),
  format: (v: { file: string }) => ({
    what: `${v.file} is neither .svg nor .png.`,
    fix: 'end the name of --out with one of them.',
  }),
  write: (v: { file: string; reason: string }) => ({
    what: `Can't write ${v.file}: ${v.reason}.`,
    fix: 'give a file in a folder that exists and that you may write to with --out.',
    exitCode: ExitCode.storage,
  }),
});

export async function plot({
  args,
  options,
}: CommandInput<typeof plotOptions, typeof plotArguments>): Promise<ExitCode> {
  const { metric = 'training_loss', out = 'plot.svg', log } = options;
  if (!['.svg', '.png'].includes(path.extname(out))) throw errors.format({ file: out });
  const wanted = metric.split(',').map((name) => name.trim());
  const runs = args.workdirs.map((workdir) => ({ name: workdir, rows: rowsOf(workdir) }));

  const names = [...new Set(runs.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row))))].sort();
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw errors.noMetric({ metric: missing, names: names.filter((name) => name !== 'step') });
  }
  const curves = runs.flatMap(({ name, rows }) =>
    wanted.map((metric): Curve => {
      const points = rows.flatMap((row): [number, number][] => {
        const value = row[metric];
        return value === undefined ? [] : [[row.step as number, value]];
      });
      const label = [runs.length > 1 && name, wanted.length > 1 && metric].filter(Boolean).join(' ');
      return { name: label || metric, points, marked: points.length <= 50 };
    }),
  );
  await write(out, {
    title: wanted.join(', '),
    x: { name: 'step' },
    y: { name: wanted.join(', '), log },
    curves,
  });
  print(`${out}: ${curves.map(({ name, points }) => `${name} (${points.length})`).join(', ')}`);
  return ExitCode.ok;
}

function rowsOf(workdir: string): ReturnType<typeof readMetrics> {
  const file = path.join(workdir, metricsFile);
  if (!fs.existsSync(file)) throw errors.notARun({ workdir: shortPath(workdir) });
  return readMetrics(file);
}

async function write(file: string, what: Parameters<typeof linePlot>[0]): Promise<void> {
  /* eslint-disable @typescript-eslint/no-require-imports -- large libraries, for this command alone */
  const svg = (require('../../plot') as { linePlot: typeof linePlot }).linePlot(what);
  const sharp = require('sharp') as typeof sharpModule;
  /* eslint-enable @typescript-eslint/no-require-imports */
  try {
    fs.writeFileSync(
      file,
      file.endsWith('.svg') ? svg : await sharp(Buffer.from(svg), { density: 144 }).png().toBuffer(),
    );
  } catch (error) {
    throw errors.write({ file, reason: (error as Error).message });
  }
}
