// One row of metrics a step. The device's numbers arrive later than the host's: rows wait for them, in order, and are
// written whole. Every step's loss is looked at, so that a run stops within a few steps of its first NaN.

import { catalogue, ExitCode } from '../errors';
import type { TrainerHooks } from '../hooks';
import type { Runtime } from '../runtime';
import * as tf from '../tensor';
import type { MetricsWriter } from './metrics';
import type { Progress } from '../progress';
import type { Run } from './run';

const errors = catalogue('train', {
  nonFinite: (v: { name: string; value: number; step: number; workdir?: string }) => ({
    what: `${v.name} is ${v.value} at step ${v.step}.`,
    fix:
      'a lower lr, a longer warm-up, or grad_clip_norm.' +
      (v.workdir
        ? ` The last checkpoint in ${v.workdir} is from before, and the metrics up to this step are written.`
        : ''),
    exitCode: ExitCode.nonFinite,
  }),
});

/** Metrics of which a NaN or an infinity ends the run. */
const watched = ['training_loss', 'l2_grads', 'l2_updates', 'l2_params'];

interface Row {
  readonly step: number;
  readonly metrics: Record<string, number>;
  arrived: boolean;
  closed: boolean;
}

export class StepLog {
  /** The newest value of every metric. */
  readonly latest: Record<string, number> = {};
  private readonly rows: Row[] = [];
  private readonly arrivals: Promise<void>[] = [];
  private newestArrival = Promise.resolve();
  private failure: Error | undefined;

  constructor(
    private readonly to: {
      readonly hooks: TrainerHooks;
      readonly run: Run;
      readonly runtime: Runtime;
      readonly writer: MetricsWriter;
      readonly progress: Progress;
    },
  ) {}

  /**
   * Begins the row of a step. `device` are scalars that the step is still computing; they are read only if the row is
   * `logged`, but for the watched ones, and disposed of.
   */
  open(step: number, device: Readonly<Record<string, tf.Tensor>>, logged: boolean): void {
    const row: Row = { step, metrics: {}, arrived: false, closed: false };
    this.rows.push(row);
    const names = Object.keys(device).filter((name) => logged || name === 'training_loss');
    const reads = names.map(async (name) => [name, await this.read(device[name] as tf.Tensor)] as const);
    // A step's numbers may be here before those of the step before it, whose turn comes first all the same.
    const turn = Promise.all([Promise.all(reads), this.newestArrival]);
    const arrival = turn.then(([values]) => this.arrive(row, values, logged));
    // Errors are thrown where the loop waits, not as unhandled rejections.
    this.newestArrival = arrival.catch((error: Error) => void (this.failure ??= error));
    this.arrivals.push(this.newestArrival);
    tf.dispose(Object.values(device));
  }

  /** Adds to the row of a step that isn't closed. */
  amend(step: number, metrics: Readonly<Record<string, number>>): void {
    Object.assign(this.openRow(step).metrics, metrics);
    Object.assign(this.latest, metrics);
  }

  /** What has come so far into the row of a step that isn't closed. */
  row(step: number): Readonly<Record<string, number>> {
    return { ...this.openRow(step).metrics };
  }

  /** No more metrics for this step: its row is written as soon as the device's numbers are here. */
  close(step: number): void {
    for (const row of this.rows) if (row.step === step) row.closed = true;
    this.flush();
  }

  /** Waits until at most `inFlight` steps haven't arrived. Throws what went wrong in them. */
  async settled(inFlight = 0): Promise<void> {
    while (this.arrivals.length > inFlight) await this.arrivals.shift();
    if (this.failure) throw this.failure;
  }

  private openRow(step: number): Row {
    const row = this.rows.find((row) => row.step === step && !row.closed);
    if (!row) throw new Error(`The row of step ${step} is closed`);
    return row;
  }

  private async read(tensor: tf.Tensor): Promise<number> {
    const { data } = await this.to.runtime.toHost(tensor);
    return data[0] as number;
  }

  private arrive(
    row: Row,
    values: readonly (readonly [name: string, value: number])[],
    logged: boolean,
  ): void {
    const metrics = Object.fromEntries(values);
    Object.assign(this.latest, metrics);
    if (logged) Object.assign(row.metrics, metrics);
    row.arrived = true;
    const bad = watched.find((name) => name in metrics && !Number.isFinite(metrics[name]));
    if (bad) {
      const { step } = row;
      Object.assign(row.metrics, metrics);
      row.closed = true;
      this.flush();
      throw errors.nonFinite({
        name: bad,
        value: metrics[bad] as number,
        step,
        workdir: this.to.run.workdir,
      });
    }
    this.flush();
  }

  private flush(): void {
    const { hooks, run, writer, progress } = this.to;
    while (this.rows[0]?.arrived && this.rows[0].closed) {
      const { step, metrics } = this.rows.shift() as Row;
      if (Object.keys(metrics).length === 0) continue;
      const final = hooks.metrics.call(metrics, step, run);
      writer.write(step, final);
      progress.metrics(step, final);
    }
  }
}
