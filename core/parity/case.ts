// Cases recorded from the original (inputs, arguments, expected outputs), and how a plugin tells to run one.

import type { HostArray } from '../array';
import type { Container } from '../container';
import type { Registry } from '../extensions';
import type { Runtime } from '../runtime';

export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

/** A text, or (nested) lists of texts. */
export type Texts = string | readonly Texts[];

/** What a case's `case.json` says; further keys are kept. */
export interface CaseInfo {
  /** model, init, loss, schedule, optimizer, pp, evaluator. */
  readonly kind: string;
  /** The original's name: a path under its folder of models (or evaluators, trainers), a registry name, `path:function`. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly call?: {
    readonly kwargs?: Readonly<Record<string, unknown>>;
    readonly method?: string;
    /** Seeds of random streams, such as `dropout`. */
    readonly rngs?: Readonly<Record<string, number>>;
    /** Of the initial values of those parameters that the inputs don't have. */
    readonly seed?: number;
  };
  /** Optimizers: each step was recorded as one program, and not op by op. */
  readonly jit?: boolean;
  /** Gradient cases: the scalar that was differentiated. */
  readonly loss?: string;
  readonly tolerance: Tolerance;
  /** For outputs whose whole name matches the regular expression; the first that matches counts. */
  readonly tolerances?: Readonly<Record<string, Tolerance>>;
  /** Of the outputs that are scores, instead of `tolerance.atol`. */
  readonly atol_scores?: number;
  /** The outputs that count, where not all do. */
  readonly output_keys?: readonly string[];
  /** Outputs are statistics of many random draws. */
  readonly distribution?: boolean;
  /** Text inputs, which `inputs` doesn't have. */
  readonly string_inputs?: Readonly<Record<string, Texts>>;
  /** Outputs that are text: UTF-8 bytes, lists joined by newlines. */
  readonly string_outputs?: readonly string[];
  readonly note?: string;
  readonly [more: string]: unknown;
}

/** A case as its runner gets it: without the outputs that are expected. */
export interface ParityCase extends CaseInfo {
  /** The case's folder: some name files in it. */
  readonly folder: string;
  readonly inputs: ReadonlyMap<string, HostArray>;
  /** Names of the recorded outputs: an expensive one that isn't among them need not be computed. */
  readonly wanted: ReadonlySet<string>;
}

export interface RecordedCase extends ParityCase {
  readonly outputs: ReadonlyMap<string, HostArray>;
}

export interface ParityServices {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly container: Container;
  /** Serves arrays, whose first axis is that of examples, as a data source; returns what a config has for `data`. */
  readonly serve: (arrays: ReadonlyMap<string, HostArray>) => {
    readonly name: string;
    readonly [option: string]: unknown;
  };
}

/** What a run of a case gives: arrays, and text as strings (lists joined by newlines). */
export type ParityOutputs = ReadonlyMap<string, HostArray | string>;

/** Runs a case on our implementation: its outputs by name. */
export type ParityRunner = (recorded: ParityCase, services: ParityServices) => Promise<ParityOutputs>;
