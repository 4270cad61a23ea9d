// Cases recorded from the original (inputs, arguments, expected outputs), and how a plugin tells to run one.

import type { HostArray } from '../array';
import type { Container } from '../container';
import type { Registry } from '../extensions';
import type { Runtime } from '../runtime';

export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

/** A case as its folder's `case.json` and `inputs.npz` have it; further keys of `case.json` are kept. */
export interface ParityCase {
  /** model, init, loss, schedule, optimizer, pp, evaluator. */
  readonly kind: string;
  /** The original's name: a path under its folder of models (or evaluators, trainers), a registry name, `path:function`. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly call?: { readonly kwargs?: Readonly<Record<string, unknown>>; readonly method?: string };
  /** Gradient cases: the scalar that was differentiated. */
  readonly loss?: string;
  readonly tolerance: Tolerance;
  readonly note?: string;
  readonly inputs: ReadonlyMap<string, HostArray>;
  /** Names of the recorded outputs: an expensive one that isn't among them need not be computed. */
  readonly wanted: ReadonlySet<string>;
  readonly [more: string]: unknown;
}

export interface ParityServices {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly container: Container;
}

/** Runs a case on our implementation: its outputs by name, text as strings. */
export type ParityRunner = (
  recorded: ParityCase,
  services: ParityServices,
) => Promise<ReadonlyMap<string, HostArray | string>>;
