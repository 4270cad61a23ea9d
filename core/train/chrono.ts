// Where a run's time goes: training, pauses (evaluation, waiting for checkpoints) and the whole program, with totals
// that survive restarts. The first tick after a start only counts examples and the second sets the clock, so that
// compilation doesn't distort rates and estimates.

import os from 'node:os';
import { hms } from '../progress';
import type { DeviceMemory } from '../runtime';

/** Totals in a checkpoint, in seconds and examples. */
export interface ChronoTotals {
  readonly program: number;
  readonly train: number;
  readonly pause: number;
  readonly examples: number;
}

export interface ChronoOptions {
  readonly total_steps: number;
  readonly batch_size: number;
  readonly data_size: number;
  readonly devices: number;
  readonly platform: string;
  readonly memory: () => readonly DeviceMemory[];
}

const programStart = performance.now() - process.uptime() * 1000;
const seconds = () => (performance.now() - programStart) / 1000;

export class Chrono {
  private totals: { -readonly [K in keyof ChronoTotals]: number };
  private warmup = 2;
  private previousStep: number;
  private previousTime = 0;
  private paused = 0;
  private readonly resumedAt: number;

  constructor(
    private readonly options: ChronoOptions,
    first_step: number,
    totals?: ChronoTotals,
  ) {
    this.previousStep = first_step;
    this.resumedAt = first_step;
    this.totals = { program: 0, train: 0, pause: 0, examples: 0, ...totals };
  }

  /** The metrics of the steps since the last tick; none if there were no steps. */
  tick(step: number): Record<string, number> {
    const { total_steps, batch_size, data_size, devices, platform } = this.options;
    const steps = step - this.previousStep;
    if (steps === 0) return {};
    this.previousStep = step;
    const now = seconds();
    this.totals.examples += steps * batch_size;
    const metrics: Record<string, number> = {
      uptime: now,
      examples_seen: this.totals.examples,
      progress: step / total_steps,
      epoch: (step * batch_size) / data_size,
    };
    if (this.warmup > 0) {
      this.warmup--;
      if (this.warmup === 0) {
        this.previousTime = now;
        this.totals.program += now;
        this.paused = 0;
      }
      return metrics;
    }
    const elapsed = now - this.previousTime - this.paused;
    this.totals.train += elapsed;
    this.totals.pause += this.paused;
    this.totals.program += elapsed + this.paused;
    this.previousTime = now;
    this.paused = 0;
    const coreHours = (this.totals.train * devices) / 3600;
    return {
      ...metrics,
      'img/sec/core': (batch_size * steps) / elapsed / devices,
      'img/sec': (batch_size * steps) / elapsed,
      [`core_hours_${platform}`]: coreHours,
      core_hours: coreHours,
      ...this.memory(),
    };
  }

  /** Time inside is a pause: evaluation, or waiting for the device before a checkpoint. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    const start = seconds();
    try {
      return await work();
    } finally {
      this.paused += seconds() - start;
    }
  }

  /** True until rates are known. */
  get warmingUp(): boolean {
    return this.warmup > 0;
  }

  /** Totals as of `step`, for its checkpoint. */
  save(step: number): ChronoTotals {
    const untold = (step - this.previousStep) * this.options.batch_size;
    return { ...this.totals, examples: this.totals.examples + untold };
  }

  /** A line for people at the end: how long it took. */
  summary(): string {
    const since = this.resumedAt > 0 ? ` since step ${this.resumedAt}` : '';
    return `${hms(seconds())}${since}, of which ${hms(this.totals.train)} training`;
  }

  private memory(): Record<string, number> {
    const metrics: Record<string, number> = {
      'y/hostmem/total': os.totalmem(),
      'y/hostmem/available': os.freemem(),
      'y/hostmem/used': process.memoryUsage.rss(),
    };
    this.options
      .memory()
      .slice(0, 2)
      .forEach(({ inUse, peak, limit }, i) => {
        for (const [stat, value] of Object.entries({
          bytes_in_use: inUse,
          peak_bytes_in_use: peak,
          bytes_limit: limit,
        })) {
          if (value !== undefined) metrics[`y/devmem/dev${i}/${stat}`] = value;
        }
      });
    return metrics;
  }
}
