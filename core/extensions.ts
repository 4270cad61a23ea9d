// The extension points: what a plugin can add by name. Each implementation has a schema of its options, so that a
// config is checked, completed and documented from one place, and gets the services it needs as arguments.

import type { z } from 'zod';
import type { HostArray } from './array';
import { type Container, type Injected, type Token } from './container';
import { catalogue } from './errors';
import type { Scope } from './layers/scope';
import { parseOptions } from './options';
import type { ParityRunner } from './parity/case';
import type { Installer, PartitionSpec, Mesh, Runtime, RuntimeOptions, TensorSpec } from './runtime';
import { didYouMean } from './suggest';
import type { Tensor } from './tensor';
import type { NestedRecord, Tree } from './tree';

export type Params = NestedRecord<Tensor>;
export type ParamArrays = NestedRecord<HostArray>;
/** Named tensors with a leading batch axis, as the step sees them. */
export type Batch = { readonly [name: string]: Tensor };

// ---- model -------------------------------------------------------------------------------------------------------

export interface CallOptions {
  /** Turns on dropout and stochastic depth. */
  readonly train: boolean;
  /** Further plain arguments of a model's call (FlexiViT's `seqhw`). */
  readonly [name: string]: unknown;
}

export interface ModelResult {
  /** What the loss and `predict` take: logits, or a tuple such as `[zimg, ztxt]`. */
  readonly output: Tree<Tensor>;
  /** Named intermediates, nested as in the original's `out`. Those that nobody reads cost nothing once compiled. */
  readonly out: Tree<Tensor>;
}

/** A checkpoint, or one for each part of the model by name. */
export type ModelInit = string | Readonly<Record<string, string>>;

export interface LoadOptions {
  /** Patterns of names that keep their initial values. */
  readonly dont_load?: readonly string[];
  readonly [more: string]: unknown;
}

export interface Model {
  /** Runs inside a trace: asks the scope for parameters, and works the same for init and for use. */
  apply(scope: Scope, batch: Batch, call: CallOptions): ModelResult;
  /** Parameters from `model_init`, fitted to `init`: renames old layouts, resamples position embeddings. */
  load?(init: ParamArrays, from: ModelInit, options: LoadOptions): Promise<ParamArrays>;
  /** Schema of `model_load`, for a model that takes a file for each of its parts. Default: one file, and `dont_load`. */
  readonly loadOptions?: z.ZodType<LoadOptions>;
  /** Schema of the further arguments of a call that an evaluator may give in `pred_kw`; default: none. */
  readonly callOptions?: z.ZodObject;
}

// ---- loss, optimizer, schedule -----------------------------------------------------------------------------------

/** Traced. Mean over the batch, or one value an example with `reduction: false`. */
export type Loss = (
  inputs: { readonly logits: Tensor; readonly labels: Tensor },
  options?: { readonly reduction?: boolean },
) => Tensor;

/** Traced: preconditions gradients, as an optax transformation does. State leaves are named like parameters. */
export interface GradientTransform {
  init(params: Params): NestedRecord<Tensor>;
  update(
    updates: Params,
    state: NestedRecord<Tensor>,
    params: Params,
  ): { readonly updates: Params; readonly state: NestedRecord<Tensor> };
}

/** The multiplier at a step (0-based count of finished updates); traced for a tensor, plain for a number. */
export interface Schedule {
  at(step: number): number;
  traced(step: Tensor): Tensor;
}

export interface RunLength {
  readonly total_steps: number;
  readonly batch_size: number;
  /** Examples in the training data. */
  readonly data_size: number;
}

// ---- data --------------------------------------------------------------------------------------------------------

/** One value of an example: an array, a text, raw bytes of a file, a number, or nested features. */
export type Feature =
  HostArray | Uint8Array | string | number | readonly Feature[] | { readonly [key: string]: Feature };
export type Example = { readonly [key: string]: Feature };

/** Random access to examples, so that any position of a run costs the same to reach. */
export interface DataSource {
  readonly size: number;
  /** Names of the classes, where there are any. */
  readonly classes?: readonly string[];
  /**
   * Pure: the same index gives the same example, in any process.
   * @param only the keys that are read, where not all are: the source may leave out others, and need not open their files
   */
  get(index: number, only?: readonly string[]): Example | Promise<Example>;
}

/** Uniform numbers that depend on nothing but (seed, epoch, index) and on how many were drawn before. */
export interface ExampleRng {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [low, high). */
  integer(low: number, high: number): number;
  /** How often the run has gone through all examples; absent where there are no epochs. */
  readonly epoch?: number;
}

/** A step of preprocessing: a new example from an old one. */
export type PpOp = (example: Example, rng: ExampleRng) => Example | Promise<Example>;

// ---- evaluator ---------------------------------------------------------------------------------------------------

/** Traced: what a model gives for a batch in evaluation mode: its output, and the named intermediates. */
export interface PredictFn {
  (params: Params, batch: Batch, options?: object): ModelResult;
  /** Schema of its options, an evaluator's `pred_kw`; without one it has none. */
  readonly options?: z.ZodObject;
}

export interface EvaluatorContext {
  /** The evaluator's name in the config. */
  readonly name: string;
  readonly predict: PredictFn;
  /** Outputs of other predict functions by name, where one isn't enough. */
  readonly predictFns: Readonly<Record<string, PredictFn>>;
  readonly batch_size: number;
  readonly workdir?: string;
}

export interface Evaluator {
  /** Metrics, named as in the original. */
  run(params: Params, step: number): AsyncIterable<readonly [metric: string, value: number]>;
}

// ---- the table ---------------------------------------------------------------------------------------------------

/** What an implementation of each extension point makes. */
export interface ExtensionPoints {
  model: Model;
  loss: Loss;
  optimizer: GradientTransform;
  schedule: (run: RunLength) => Schedule;
  data: DataSource | Promise<DataSource>;
  pp: PpOp;
  tokenizer: Tokenizer | Promise<Tokenizer>;
  evaluator: (context: EvaluatorContext) => Evaluator | Promise<Evaluator>;
  sharding: ShardingRule;
  runtime: (options: RuntimeOptions) => Promise<Runtime>;
  installer: Installer;
  init: Initializer;
  /** Named `KIND NAME` as in the cases: `model vit:resample_posemb`. For what the rules of its kind don't cover. */
  parity: ParityRunner;
}
export type ExtensionPoint = keyof ExtensionPoints;

/** Texts to token ids and back. An id is -1 where the vocabulary has no such token. */
export interface Tokenizer {
  /** With the tokens that begin and end a sentence where asked for. */
  encode(text: string, options?: { readonly bos?: boolean; readonly eos?: boolean }): number[];
  /** What comes after the first end of sentence counts for nothing, unless `stopAtEos` is false. */
  decode(ids: readonly number[], options?: { readonly stopAtEos?: boolean }): string;
  /** The id of a piece of text; `unknown` if there is none. */
  idOf(piece: string): number;
  /** Of the vocabulary. */
  readonly size: number;
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  readonly unknown: number;
}

/** Refines the partition spec of one leaf of the train state; specs start as all null. */
export type ShardingRule = (
  spec: PartitionSpec,
  leaf: { readonly name: string; readonly spec: TensorSpec; readonly mesh: Mesh },
) => PartitionSpec;

/** Traced: the initial value of a parameter from a key (int32 [2]). `id` tells equal initializers apart. */
export interface Initializer {
  readonly id: string;
  (key: Tensor, shape: readonly number[]): Tensor;
}

export const extensionPoints: readonly { readonly point: ExtensionPoint; readonly plural: string }[] = [
  { point: 'model', plural: 'models' },
  { point: 'loss', plural: 'losses' },
  { point: 'optimizer', plural: 'optimizers' },
  { point: 'schedule', plural: 'schedules' },
  { point: 'data', plural: 'data' },
  { point: 'pp', plural: 'ops' },
  { point: 'tokenizer', plural: 'tokenizers' },
  { point: 'evaluator', plural: 'evaluators' },
  { point: 'sharding', plural: 'shardings' },
  { point: 'runtime', plural: 'runtimes' },
  { point: 'installer', plural: 'installers' },
  { point: 'init', plural: 'inits' },
  { point: 'parity', plural: 'parities' },
];

export interface Implementation<
  P extends ExtensionPoint = ExtensionPoint,
  Schema extends z.ZodObject = z.ZodObject,
  Needs extends readonly Token<unknown>[] = readonly Token<unknown>[],
> {
  /** One or more sentences for `bv describe`: what it computes, its shapes, and the paper. */
  readonly doc: string;
  /** Options with their defaults; each key's `.describe()` is its documentation. */
  readonly options: Schema;
  /** For call strings such as `resize(224)`: the option names of positional arguments, in order. */
  readonly positional?: readonly (keyof z.output<Schema> & string)[];
  /** For call strings such as `keep('image', 'labels')`: the option that takes all positional arguments as a list. */
  readonly rest?: keyof z.output<Schema> & string;
  /** Services that `create` gets after the options. */
  readonly inject?: Needs;
  readonly create: (options: z.output<Schema>, ...services: Injected<Needs>) => ExtensionPoints[P];
}

export interface Registered<P extends ExtensionPoint = ExtensionPoint> {
  readonly point: P;
  readonly name: string;
  readonly plugin: string;
  readonly implementation: Implementation<P>;
}

const errors = catalogue('extension', {
  unknown: (v: { point: string; name: string; known: readonly string[]; where?: string }) => ({
    what: `Unknown ${v.point} "${v.name}"${v.where ? ` in ${v.where}` : ''}.${didYouMean(v.name, v.known)}`,
    fix:
      v.known.length > 0
        ? `one of: ${[...v.known].sort().join(', ')}.`
        : `add a plugin that registers one: see \`bv list plugins\`.`,
  }),
  taken: (v: { point: string; name: string; first: string; second: string }) => ({
    what: `Plugins "${v.first}" and "${v.second}" both register the ${v.point} "${v.name}".`,
    fix: `rename one of them, or leave one plugin out of the workspace's config.`,
  }),
});

/** All that the loaded plugins have registered. */
export class Registry {
  private readonly entries = new Map<string, Registered>();

  add<P extends ExtensionPoint>(registered: Registered<P>): void {
    const { point, name, plugin } = registered;
    const before = this.entries.get(`${point}:${name}`);
    if (before) throw errors.taken({ point, name, first: before.plugin, second: plugin });
    this.entries.set(`${point}:${name}`, registered as unknown as Registered);
  }

  /** `where` says which config key asked, for the error. */
  find<P extends ExtensionPoint>(point: P, name: string, where?: string): Registered<P> {
    const found = this.entries.get(`${point}:${name}`);
    if (!found)
      throw errors.unknown({ point, name, known: this.list(point).map((entry) => entry.name), where });
    return found as unknown as Registered<P>;
  }

  has(point: ExtensionPoint, name: string): boolean {
    return this.entries.has(`${point}:${name}`);
  }

  list(point?: ExtensionPoint): readonly Registered[] {
    const all = [...this.entries.values()].filter((entry) => !point || entry.point === point);
    return all.sort((a, b) =>
      a.point === b.point ? (a.name < b.name ? -1 : 1) : a.point < b.point ? -1 : 1,
    );
  }

  /** Checks the options against the schema and makes the thing. `where` is the config key that holds the options. */
  create<P extends ExtensionPoint>(
    container: Container,
    point: P,
    name: string,
    options: unknown,
    where: string,
  ): ExtensionPoints[P] {
    const { implementation } = this.find(point, name, where);
    const parsed = parseOptions(implementation.options, options ?? {}, where);
    return container.call(`${point} ${name}`, implementation.inject ?? [], (...services) =>
      implementation.create(parsed, ...services),
    );
  }
}
