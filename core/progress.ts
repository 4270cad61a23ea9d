// What a person sees of a run: a live line on a terminal, plain lines every few seconds elsewhere. The trainer calls
// this interface and never knows which.

import Table from 'cli-table3';
import pc from 'picocolors';

export interface StepReport {
  /** Finished steps, of `total`. */
  readonly step: number;
  readonly total: number;
  /** Examples in one step: gives img/s. */
  readonly examples?: number;
  /** The newest loss that is known; `metrics` with `training_loss` sets it too. */
  readonly loss?: number;
}

export interface RunSummary {
  /** The last value of every metric worth showing, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly workdir?: string;
}

export interface Progress {
  /** After each step; cheap enough to call in the loop. */
  step(report: StepReport): void;
  /** A line that stays. */
  note(text: string): void;
  /** Metrics of a step. Training metrics feed the live line; those of evaluators get a line that stays. */
  metrics(step: number, metrics: Readonly<Record<string, number>>): void;
  /** The last thing of a run: a table of results, and where they are. */
  finish(summary: RunSummary): void;
  /** Puts the terminal back as it was; for a run that ends without `finish`. */
  close(): void;
}

export const silentProgress: Progress = Object.freeze({
  step() {},
  note() {},
  metrics() {},
  finish() {},
  close() {},
});

export interface ProgressOptions {
  readonly stream?: NodeJS.WriteStream;
  /** Seconds between plain lines. */
  readonly every?: number;
  /** A live line; default: on a terminal that isn't CI's. */
  readonly live?: boolean;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
}

/** Metrics of the trainer itself: in the metrics file, and too many for a screen. */
const quiet =
  /^(training_loss|l2_\w+|global_schedule\d*|lr|uptime|examples_seen|progress|epoch|img\/sec(\/core)?|core_hours.*|num_params|[yz]\/.*)$/;

/** What is worth a line: evaluators put their name and a slash in front; in a row of the step's own all else is quiet. */
function worthALine(name: string, row: Readonly<Record<string, number>>): boolean {
  return !quiet.test(name) && (name.includes('/') || !('training_loss' in row));
}

export function createProgress(options: ProgressOptions = {}): Progress {
  const stream = options.stream ?? process.stdout;
  const live = options.live ?? (stream.isTTY === true && !process.env['CI']);
  return new TerminalProgress(
    stream,
    live,
    options.every ?? 10,
    options.now ?? performance.now.bind(performance),
  );
}

interface LiveLine {
  (text: string): void;
  clear(): void;
  done(): void;
}

class TerminalProgress implements Progress {
  private readonly marks: { readonly time: number; readonly step: number }[] = [];
  private lastShown = -Infinity;
  private loss: number | undefined;
  private headline: string | undefined;
  private line: LiveLine | undefined;
  private shown = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly live: boolean,
    private readonly every: number,
    private readonly now: () => number,
  ) {}

  step(report: StepReport): void {
    const time = this.now();
    if (report.loss !== undefined) this.loss = report.loss;
    this.marks.push({ time, step: report.step });
    // A speed over the last half minute follows changes and doesn't jump about.
    while (this.marks.length > 2 && time - (this.marks[0]?.time ?? 0) > 30_000) this.marks.shift();
    const last = report.step >= report.total;
    const interval = this.live ? 100 : this.every * 1000;
    if (time - this.lastShown < interval && !last) return;
    this.lastShown = time;
    const text = this.describe(report);
    if (this.live) this.show(text);
    else this.stream.write(`${text}\n`);
  }

  note(text: string): void {
    this.persist(text);
  }

  metrics(step: number, metrics: Readonly<Record<string, number>>): void {
    const loss = metrics['training_loss'];
    if (loss !== undefined) this.loss = loss;
    const visible = Object.entries(metrics).filter(([name]) => worthALine(name, metrics));
    if (visible.length === 0) return;
    const [name, value] =
      visible.find(([name]) => !name.endsWith('loss')) ?? (visible[0] as [string, number]);
    this.headline = `${name} ${formatNumber(value)}`;
    const values = visible.map(([name, value]) => `${pc.dim(name)} ${formatNumber(value)}`).join('  ');
    this.persist(`${pc.cyan(`step ${step}`)}  ${values}`);
    // Evaluators took time that isn't the step's.
    this.marks.length = 0;
  }

  finish({ metrics, workdir }: RunSummary): void {
    this.close();
    const rows = Object.entries(metrics).filter(
      ([name]) => name === 'training_loss' || worthALine(name, metrics),
    );
    if (rows.length > 0) {
      const table = new Table({
        head: ['metric', 'value'],
        colAligns: ['left', 'right'],
        ...tableStyle(),
      });
      for (const [name, value] of rows) table.push([name, formatNumber(value)]);
      this.stream.write(`${table.toString()}\n`);
    }
    if (workdir !== undefined) this.stream.write(`${pc.bold('workdir')} ${workdir}\n`);
  }

  close(): void {
    this.line?.done();
    this.line = undefined;
    this.shown = '';
  }

  private describe({ step, total, examples }: StepReport): string {
    const speed = this.stepsPerSecond();
    const parts = [
      `step ${step}/${total}`,
      `${((100 * step) / Math.max(1, total)).toFixed(step < total ? 1 : 0)}%`,
    ];
    if (this.loss !== undefined) parts.push(`loss ${formatNumber(this.loss)}`);
    if (speed !== undefined && examples !== undefined) parts.push(`${formatNumber(speed * examples)} img/s`);
    if (speed !== undefined && step < total) parts.push(`ETA ${hms((total - step) / speed)}`);
    if (this.live && this.headline !== undefined) parts.push(this.headline);
    return parts.join('  ');
  }

  private stepsPerSecond(): number | undefined {
    const first = this.marks[0];
    const last = this.marks.at(-1);
    // The host runs ahead of the device: over a moment it would seem to be as fast as it can dispatch.
    if (!first || !last || last.step - first.step < 3 || last.time - first.time < 500) return undefined;
    return ((last.step - first.step) / (last.time - first.time)) * 1000;
  }

  private persist(text: string): void {
    this.line?.clear();
    this.stream.write(`${text}\n`);
    if (this.line && this.shown !== '') this.line(this.shown);
  }

  private show(text: string): void {
    this.line ??= createLiveLine(this.stream);
    this.shown = text;
    this.line(text);
  }
}

/** log-update is loaded only where there is a terminal: it is a sixth of the start of a short command. */
function createLiveLine(stream: NodeJS.WriteStream): LiveLine {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { createLogUpdate } = require('log-update') as {
    createLogUpdate(stream: NodeJS.WriteStream): LiveLine;
  };
  return createLogUpdate(stream);
}

/** Without lines between rows, and in colour only where that shows. */
export function tableStyle(): Pick<ConstructorParameters<typeof Table>[0] & object, 'chars' | 'style'> {
  return {
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: pc.isColorSupported ? { head: ['cyan'], border: ['gray'] } : { head: [], border: [] },
  };
}

/** Four significant digits; whole numbers as they are. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 1000) return value.toFixed(0);
  return String(Number(value.toPrecision(4)));
}

/** 45s, 3m20s, 2h05m, 4d3h10m. */
export function hms(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  const [m, s] = [Math.floor(total / 60), total % 60];
  if (m === 0) return `${s}s`;
  if (m < 60) return `${m}m${pad(s)}s`;
  const h = Math.floor(m / 60);
  if (h < 25) return `${h}h${pad(m % 60)}m`;
  return `${Math.floor(h / 24)}d${h % 24}h${pad(m % 60)}m`;
}
