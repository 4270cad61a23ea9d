// What a run consists of, as hooks and services see it.

import { type Container, token } from '../container';
import type { Config, DataConfig, InputConfig } from '../config/schema';
import type { HostArray } from '../array';
import type { Rows } from '../blocks';
import type { Model, GradientTransform, Params, Registry, RunLength, Schedule } from '../extensions';
import type { Runtime, TensorSpec } from '../runtime';
import type { Tensor } from '../tensor';
import type { NestedRecord } from '../tree';

/** Files of a workdir: what makes the run again. */
export const configFile = 'config.json';
export const provenanceFile = 'provenance.json';

export interface Run {
  readonly config: Config;
  readonly container: Container;
  readonly runtime: Runtime;
  /** Absent in runs that keep nothing. */
  readonly workdir?: string;
  readonly length: RunLength;
  readonly model: Model;
  readonly update: UpdateRule;
  /** Names and specs of all parameters. */
  readonly params: NestedRecord<TensorSpec>;
  /** Names and specs of what the model keeps beside them: see `Scope.variable`. */
  readonly variables: NestedRecord<TensorSpec>;
  /** Of a batch of training data on the devices. */
  readonly batchSpec: { readonly [name: string]: TensorSpec };
  /** A line for people. */
  note(text: string): void;
}

/** A batch in host memory; every array has the batch axis first. */
export type HostBatch = { readonly [name: string]: HostArray };

/** Batches in order. `next` resolves to undefined after the last one. */
export interface BatchStream {
  next(): Promise<HostBatch | undefined>;
  /** Gives a batch's memory back for later ones. Optional, and only for who reads the batch no more. */
  release?(batch: HostBatch): void;
  close(): Promise<void>;
}

export interface OpenedInput {
  /** Examples of one epoch. */
  readonly examples: number;
  readonly classes?: readonly string[];
  /** Specs of one batch's arrays, batch axis included; of whole batches where this process makes a part of them. */
  readonly spec: { readonly [name: string]: TensorSpec };
  /** The batches from the `position`-th on (0-based). Reaching a position takes no longer than the first. */
  batches(position: number): BatchStream;
  close(): Promise<void>;
}

/** Turns data sources and preprocessing into batches. */
export interface InputPipeline {
  /**
   * Endless batches over shuffled epochs: a pure function of the seed and the position. With `rows` those of each batch
   * are made alone: processes that share the rows have together what one would have.
   */
  train(input: InputConfig, seed: number, rows?: Rows): Promise<OpenedInput>;
  /**
   * One pass in order; the last batch is padded, and `_mask` (float32, 1 or 0) tells which examples count. With `rows`
   * those of each batch are made alone, and there are as many batches as without.
   */
  evaluate(input: {
    readonly data: DataConfig;
    readonly pp: string;
    readonly batch_size: number;
    readonly workers?: number;
    readonly rows?: Rows;
    /** The config keys that data and pp come from, for errors. */
    readonly where?: { readonly data: string; readonly pp: string };
  }): Promise<OpenedInput>;
}

/** From gradients to updates: clipping, preconditioning, rates, decay, schedules, freezing. */
export interface UpdateRule {
  /** Traced. */
  init(params: Params): NestedRecord<Tensor>;
  /** Traced; `step` is the number of finished updates. The updates are to be added to the parameters. */
  update(
    grads: Params,
    state: NestedRecord<Tensor>,
    params: Params,
    step: Tensor,
  ): ReturnType<GradientTransform['update']>;
  /** In the order of the config's schedule; the first is the global one. */
  readonly schedules: readonly Schedule[];
  /** True for parameters that never change. */
  frozen(name: string): boolean;
}

export type UpdateRuleFactory = (
  config: Config,
  params: NestedRecord<TensorSpec>,
  length: RunLength,
) => UpdateRule;

/** The services that every run provides; plugins add their own with `token`. */
export const tokens = {
  runtime: token<Runtime>('runtime'),
  registry: token<Registry>('registry'),
  input: token<InputPipeline>('input pipeline'),
  updateRule: token<UpdateRuleFactory>('update rule'),
  /** The folder that relative paths in configs and `--workdir` are taken from. */
  root: token<string>('workspace root'),
} as const;
