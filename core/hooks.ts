// The trainer's hooks: the one way to change it. Host hooks see plain data between steps. Traced hooks get a function
// of the step and return the one to use instead; what they return runs inside the compiled program.

import { AsyncSeriesHook, AsyncSeriesWaterfallHook, SyncWaterfallHook } from 'tapable';
import type { Batch, Model, ParamArrays, Params, PredictFn } from './extensions';
import type { Config } from './config/schema';
import { catalogue } from './errors';
import { didYouMean } from './suggest';
import type { HostBatch, Run } from './train/run';
import type { Tensor } from './tensor';
import type { NestedRecord } from './tree';

/** All that the step keeps between calls. `extra` is for hooks: codebooks, averaged parameters, teachers. */
export interface TrainState {
  readonly params: Params;
  readonly opt: NestedRecord<Tensor>;
  readonly extra: NestedRecord<Tensor>;
  /** Finished updates, int32 scalar. */
  readonly step: Tensor;
}

/** What a traced function of the step may read besides its arguments. */
export interface StepContext {
  /**
   * A key (int32 [2]). For `batch` it is the run's key folded with the number of finished updates; for `loss` and
   * `gradients` the second half of splitting what `batch` returned, as the original's trainer does.
   */
  readonly rng: Tensor;
  /** Finished updates, int32 scalar. */
  readonly step: Tensor;
  readonly extra: NestedRecord<Tensor>;
  /** Plain data that the host hook `step` chose: each value is a program of its own. */
  readonly options: StepOptions;
}
export type StepOptions = { readonly [name: string]: string | number | boolean };

export interface LossResult {
  /** Scalar. */
  readonly loss: Tensor;
  /** Scalars to log beside the loss. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
  /** New values for parts of `TrainState.extra`. */
  readonly extra?: NestedRecord<Tensor>;
}
export interface GradientResult extends LossResult {
  readonly grads: Params;
}

/** The initial `TrainState.extra` of the initial parameters. */
export type ExtraFn = (params: Params) => NestedRecord<Tensor>;
/** Returns the batch for the loss, and the key that the step goes on with (a tap that draws splits it first). */
export type BatchFn = (batch: Batch, context: StepContext) => { readonly batch: Batch; readonly rng: Tensor };
export type LossFn = (params: Params, batch: Batch, context: StepContext) => LossResult;
export type GradientFn = (loss: LossFn, params: Params, batch: Batch, context: StepContext) => GradientResult;
export type UpdateFn = (
  grads: Params,
  state: TrainState,
  context: StepContext,
) => { readonly updates: Params; readonly opt: NestedRecord<Tensor> };
/** The whole step, for what the narrower hooks can't do. */
export type StepFn = (
  state: TrainState,
  batch: Batch,
  context: StepContext,
) => { readonly state: TrainState; readonly metrics: Readonly<Record<string, Tensor>> };

/** How a hook's taps run: `host` on plain data between steps, `traced` wrapping functions of the compiled step. */
export type HookPlace = 'host' | 'traced';

/** Order among taps of one hook: lower runs first, and so wraps closest to the stock function. */
export const Stage = { early: -100, normal: 0, late: 100 } as const;

export interface TrainerHooks {
  readonly config: SyncWaterfallHook<[Config]>;
  readonly data: AsyncSeriesWaterfallHook<[HostBatch, number, Run]>;
  readonly model: SyncWaterfallHook<[Model, Run]>;
  readonly setup: AsyncSeriesHook<[Run]>;
  readonly init: AsyncSeriesWaterfallHook<[ParamArrays, Run]>;
  readonly state: SyncWaterfallHook<[ExtraFn, Run]>;
  readonly batch: SyncWaterfallHook<[BatchFn, Run]>;
  readonly loss: SyncWaterfallHook<[LossFn, Run]>;
  readonly gradients: SyncWaterfallHook<[GradientFn, Run]>;
  readonly update: SyncWaterfallHook<[UpdateFn, Run]>;
  readonly program: SyncWaterfallHook<[StepFn, Run]>;
  readonly step: SyncWaterfallHook<[StepOptions, number, Run]>;
  readonly predict: SyncWaterfallHook<[Readonly<Record<string, PredictFn>>, Run]>;
  readonly params: SyncWaterfallHook<[Readonly<Record<string, string>>, Run]>;
  readonly evaluate: AsyncSeriesHook<[Record<string, number>, number, Run]>;
  readonly checkpoint: AsyncSeriesHook<[number, Run]>;
  readonly restore: AsyncSeriesHook<[number, Run]>;
  readonly metrics: SyncWaterfallHook<[Readonly<Record<string, number>>, number, Run]>;
  readonly done: AsyncSeriesHook<[Run]>;
}
export type HookName = keyof TrainerHooks;

export interface HookEntry {
  readonly place: HookPlace;
  readonly args: readonly string[];
  readonly since: string;
  /** When it is called and what a tap returns. */
  readonly doc: string;
}

/** The documented list of hooks, in the order in which a run calls them. */
export const hookTable: Readonly<Record<HookName, HookEntry>> = Object.freeze({
  config: {
    place: 'host',
    args: ['config'],
    since: '0.1.0',
    doc: 'Once, when the config is loaded and before anything is made from it. Returns the config to use, which is checked again.',
  },
  data: {
    place: 'host',
    args: ['batch', 'step', 'run'],
    since: '0.1.0',
    doc: 'Before each step, with its batch in host memory, only if tapped. Returns the batch to use.',
  },
  model: {
    place: 'host',
    args: ['model', 'run'],
    since: '0.1.0',
    doc: 'Once, when the model is made. Returns the model to use, often a wrapper.',
  },
  setup: {
    place: 'host',
    args: ['run'],
    since: '0.1.0',
    doc: 'Once, when the run is known and nothing is traced yet, before training and before evaluation alone. For what taps have to load: frozen models, whose tensors traced functions may close over.',
  },
  init: {
    place: 'host',
    args: ['params', 'run'],
    since: '0.1.0',
    doc: 'Once in a run that starts from step 0, with initial parameters in host memory, only if tapped. Returns them changed.',
  },
  state: {
    place: 'traced',
    args: ['extraFn', 'run'],
    since: '0.1.0',
    doc: 'Once, before the state is made or restored. Wraps what makes TrainState.extra from the initial parameters.',
  },
  batch: {
    place: 'traced',
    args: ['batchFn', 'run'],
    since: '0.1.0',
    doc: 'Once, when the step is built. Wraps what happens to a batch on the device before the loss, such as mixup.',
  },
  loss: {
    place: 'traced',
    args: ['lossFn', 'run'],
    since: '0.1.0',
    doc: 'Once, when the step is built. Wraps the loss of parameters and a batch.',
  },
  gradients: {
    place: 'traced',
    args: ['gradientFn', 'run'],
    since: '0.1.0',
    doc: 'Once, when the step is built. Wraps how gradients are taken from the loss: SAM, GSAM, accumulation.',
  },
  update: {
    place: 'traced',
    args: ['updateFn', 'run'],
    since: '0.1.0',
    doc: 'Once, when the step is built. Wraps how gradients become updates of the parameters.',
  },
  program: {
    place: 'traced',
    args: ['stepFn', 'run'],
    since: '0.1.0',
    doc: 'Once, when the step is built. Wraps the whole step, for what the narrower hooks cannot reach (averaged parameters).',
  },
  step: {
    place: 'host',
    args: ['options', 'step', 'run'],
    since: '0.1.0',
    doc: 'Before each step. Returns plain options that traced functions see as context.options; each combination is compiled once, and those beyond 32 are reported.',
  },
  predict: {
    place: 'traced',
    args: ['predictFns', 'run'],
    since: '0.1.0',
    doc: 'Once, before evaluators are made. Returns the predict functions by name, with any added.',
  },
  params: {
    place: 'host',
    args: ['places', 'run'],
    since: '0.1.0',
    doc: 'Once, before evaluators are made. Returns where in the state they find parameters, by name: {average: "extra/average"}.',
  },
  evaluate: {
    place: 'host',
    args: ['metrics', 'step', 'run'],
    since: '0.1.0',
    doc: 'After the evaluators that are due at a step, with their metrics, which may be added to.',
  },
  checkpoint: {
    place: 'host',
    args: ['step', 'run'],
    since: '0.1.0',
    doc: 'When a checkpoint is safely on disk.',
  },
  restore: {
    place: 'host',
    args: ['step', 'run'],
    since: '0.1.0',
    doc: 'When a run has resumed from a checkpoint, before its first step.',
  },
  metrics: {
    place: 'host',
    args: ['metrics', 'step', 'run'],
    since: '0.1.0',
    doc: 'Before metrics are written. Returns them, changed or with more.',
  },
  done: {
    place: 'host',
    args: ['run'],
    since: '0.1.0',
    doc: 'After the last step, when everything is on disk.',
  },
} satisfies Record<HookName, HookEntry>);

const errors = catalogue('hook', {
  unknownBefore: (v: { hook: string; tap: string; before: string; known: readonly string[] }) => ({
    what: `The tap "${v.tap}" of the hook "${v.hook}" wants to run before "${v.before}", which doesn't tap it.${didYouMean(v.before, v.known)}`,
    fix:
      v.known.length > 0
        ? `one of: ${v.known.join(', ')}; or use a stage.`
        : 'use a stage: nobody else taps this hook.',
  }),
});

export function createHooks(): Readonly<TrainerHooks> {
  const hooks: TrainerHooks = {
    config: new SyncWaterfallHook(['config']),
    data: new AsyncSeriesWaterfallHook(['batch', 'step', 'run']),
    model: new SyncWaterfallHook(['model', 'run']),
    setup: new AsyncSeriesHook(['run']),
    init: new AsyncSeriesWaterfallHook(['params', 'run']),
    state: new SyncWaterfallHook(['extraFn', 'run']),
    batch: new SyncWaterfallHook(['batchFn', 'run']),
    loss: new SyncWaterfallHook(['lossFn', 'run']),
    gradients: new SyncWaterfallHook(['gradientFn', 'run']),
    update: new SyncWaterfallHook(['updateFn', 'run']),
    program: new SyncWaterfallHook(['stepFn', 'run']),
    step: new SyncWaterfallHook(['options', 'step', 'run']),
    predict: new SyncWaterfallHook(['predictFns', 'run']),
    params: new SyncWaterfallHook(['places', 'run']),
    evaluate: new AsyncSeriesHook(['metrics', 'step', 'run']),
    checkpoint: new AsyncSeriesHook(['step', 'run']),
    restore: new AsyncSeriesHook(['step', 'run']),
    metrics: new SyncWaterfallHook(['metrics', 'step', 'run']),
    done: new AsyncSeriesHook(['run']),
  };
  return Object.freeze(hooks);
}

export interface TapInfo {
  readonly name: string;
  readonly stage?: number;
  readonly before?: string | string[];
}

/** The taps of a hook in the order in which they run. */
export function tapsOf(hook: TrainerHooks[HookName]): readonly TapInfo[] {
  return (hook as unknown as { taps: TapInfo[] }).taps;
}

/** tapable ignores a `before` that names nobody; here it is an error. */
export function checkOrder(hooks: TrainerHooks): void {
  for (const [name, hook] of Object.entries(hooks) as [HookName, TrainerHooks[HookName]][]) {
    const taps = tapsOf(hook);
    const known = taps.map((tap) => tap.name);
    for (const tap of taps) {
      for (const before of [tap.before ?? []].flat()) {
        if (!known.includes(before)) throw errors.unknownBefore({ hook: name, tap: tap.name, before, known });
      }
    }
  }
}
