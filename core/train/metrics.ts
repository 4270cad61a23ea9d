// The metrics file of a run: one JSON object a line, `{"step": 7, "training_loss": 2.3, ...}`, under the original's
// names and in its file name, so that tools for its logs read ours.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkpointErrors } from '../checkpoint/store';
import { isFile } from '../is-file';

export type Metrics = Readonly<Record<string, number>>;

export const metricsFile = 'big_vision_metrics.txt';

/** Appends each line with one write, so that a crash loses at most the step that was being measured. */
export class MetricsWriter {
  private readonly file?: string;
  private readonly descriptor?: number;

  /** Without a workdir nothing is kept. Lines after `step` are of a run that was cut off there: they are dropped. */
  constructor(workdir: string | undefined, step: number) {
    if (workdir === undefined) return;
    this.file = path.join(workdir, metricsFile);
    try {
      truncateAfter(this.file, step);
      this.descriptor = fs.openSync(this.file, 'a');
    } catch (cause) {
      throw checkpointErrors.write({ path: this.file, cause: cause as NodeJS.ErrnoException });
    }
  }

  write(step: number, metrics: Metrics): void {
    if (this.descriptor === undefined || Object.keys(metrics).length === 0) return;
    try {
      fs.writeSync(this.descriptor, `${JSON.stringify({ step, ...metrics })}\n`);
    } catch (cause) {
      throw checkpointErrors.write({ path: this.file as string, cause: cause as NodeJS.ErrnoException });
    }
  }

  close(): void {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
  }
}

/** What the metrics file of a workdir has of a step. */
export function metricsAt(workdir: string, step: number): Metrics | undefined {
  const file = path.join(workdir, metricsFile);
  return isFile(file) ? readMetrics(file).findLast((row) => row.step === step) : undefined;
}

/** The rows of a metrics file, `step` among their metrics. A line that a crash cut is left out. */
export function readMetrics(file: string): Metrics[] {
  return wholeLines(file).map(({ row }) => row);
}

function wholeLines(file: string): { line: string; row: Metrics }[] {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [{ line, row: JSON.parse(line) as Metrics }];
      } catch {
        return []; // The end of the file, or a line that a crash cut.
      }
    });
}

function truncateAfter(file: string, step: number): void {
  if (!isFile(file)) return;
  const kept = wholeLines(file).filter(({ row }) => (row.step as number) <= step);
  const temporary = `${file}.partial`;
  fs.writeFileSync(temporary, kept.map(({ line }) => `${line}\n`).join(''));
  fs.renameSync(temporary, file);
}
