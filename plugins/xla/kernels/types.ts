// What a lowering is: a tfjs kernel as StableHLO operations.

import type * as tfjs from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../stablehlo';

type Exports = typeof tfjs;
/** tfjs-core exports each kernel's name as a constant of that very name. */
export type KernelName = {
  [K in keyof Exports]: K extends string ? (Exports[K] extends K ? K : never) : never;
}[keyof Exports];

export type Results = Value | readonly Value[];

/** A kernel with its inputs by name (a list's by position) and its attributes as tfjs passes them. */
export type Lowering = (inputs: Readonly<Record<string, Value>>, attrs: unknown, graph: Graph) => Results;

/** A kernel that has no lowering, and why: part of the error that users see. */
export interface Unlowered {
  readonly reason: string;
}
export const unlowered = (reason: string): Unlowered => ({ reason });

export type LoweringTable = { readonly [name: string]: Lowering | Unlowered };

/** Types a lowering by the names of its inputs and by its attributes. */
export function lower<Inputs extends string, Attrs = unknown>(
  lowering: (inputs: Readonly<Record<Inputs, Value>>, attrs: Attrs, graph: Graph) => Results,
): Lowering {
  return lowering as unknown as Lowering;
}

/** A kernel whose inputs are a list. */
export function lowerList<Attrs = unknown>(
  lowering: (inputs: readonly Value[], attrs: Attrs, graph: Graph) => Results,
): Lowering {
  return (inputs, attrs, graph) => lowering(Object.values(inputs), attrs as Attrs, graph);
}
