// Control flow, and what steers the compiler.

import { check } from './check';
import { scalar, splat } from './constants';
import { add, compare, subtract } from './elementwise';
import type { Graph, Region, Value } from './graph';
import { dynamicSlice, dynamicUpdateSlice } from './indexing';
import { broadcastInDim, reshape } from './shaping';
import { printSharding, type AxisNames } from './sharding';

/**
 * Repeats `body` on the carried values while `condition` (a scalar i1) holds. Both may use outer values. Of its FLOPs
 * one run is counted.
 */
export function whileLoop(
  carried: readonly Value[],
  condition: (...values: Value[]) => Value,
  body: (...values: Value[]) => readonly Value[],
): readonly Value[] {
  const { graph } = carried[0] as Value;
  const test = graph.region(carried, (...values) => [condition(...values)]);
  return emitWhile(graph, carried, test, graph.region(carried, body), 1);
}

function emitWhile(
  graph: Graph,
  carried: readonly Value[],
  test: Region,
  step: Region,
  times: number,
): readonly Value[] {
  check(
    step.results.length === carried.length &&
      step.results.every((value, i) => value.typeText === carried[i]!.typeText),
    'while',
    () =>
      `the body turns ${carried.map((v) => v.typeText).join(', ')} into ${step.results.map((v) => v.typeText).join(', ')}`,
  );
  const types = carried.map((value) => value.typeText).join(', ');
  const text =
    `"stablehlo.while"(${carried.map((value) => value.name).join(', ')}) (${test.text}, ${step.text}) : ` +
    `(${types}) -> ${carried.length === 1 ? types : `(${types})`}`;
  return graph.emitAll(text, carried, carried, [test, step], times * (test.flops + step.flops));
}

export interface Loop {
  readonly carry: readonly Value[];
  /** With a leading axis of `length`. */
  readonly xs: readonly Value[];
  readonly length: number;
  /** From the last slice to the first. */
  readonly reverse: boolean;
  readonly body: (carry: Value[], xs: Value[]) => LoopStep;
}

export interface LoopStep {
  readonly carry: readonly Value[];
  readonly ys: readonly Value[];
}

/** A `while` over the slices of `xs`: the body's last carry, and its ys stacked. The body is traced once. */
export function scanLoop(graph: Graph, { carry, xs, length, reverse, body }: Loop): LoopStep {
  const zero = scalar(graph, 'i32', 0);
  const places = (x: Value, at: Value) => x.shape.map((_, axis) => (axis === 0 ? at : zero));
  const stacked: Value[] = [];
  const step = graph.region([zero, ...carry], (...values) => {
    const [counter, ...before] = values as [Value, ...Value[]];
    const at = reverse ? subtract(scalar(graph, 'i32', length - 1), counter) : counter;
    const slices = xs.map((x) => {
      const shape = x.shape.slice(1);
      return reshape(dynamicSlice(x, places(x, at), [1, ...shape]), shape);
    });
    const { carry: after, ys } = body(before, slices);
    const updated = ys.map((y) => {
      const all = graph.regionArg({ type: y.type, shape: [length, ...y.shape] });
      stacked.push(all);
      return dynamicUpdateSlice(all, reshape(y, [1, ...y.shape]), places(all, at));
    });
    return [add(counter, scalar(graph, 'i32', 1)), ...after, ...updated];
  });
  const empty = stacked.map(({ type, shape }) => broadcastInDim(splat(graph, type, [], 0), shape, []));
  const carried = [zero, ...carry, ...empty];
  const test = graph.region(carried, (...[counter]) => [
    compare('LT', counter as Value, scalar(graph, 'i32', length)),
  ]);
  const results = emitWhile(graph, carried, test, step, length).slice(1);
  return { carry: results.slice(0, carry.length), ys: results.slice(carry.length) };
}

/** The results of one of two regions, of the same types. `condition`: a scalar i1. */
export function ifElse(
  condition: Value,
  whenTrue: () => readonly Value[],
  whenFalse: () => readonly Value[],
): readonly Value[] {
  const { graph } = condition;
  const yes = graph.region([], whenTrue);
  const no = graph.region([], whenFalse);
  const types = yes.results.map((value) => value.typeText);
  check(
    types.join() === no.results.map((value) => value.typeText).join(),
    'if',
    () => `the branches give ${types.join(', ')} and ${no.results.map((v) => v.typeText).join(', ')}`,
  );
  const text =
    `"stablehlo.if"(${condition.name}) (${yes.text}, ${no.text}) : ` +
    `(${condition.typeText}) -> ${types.length === 1 ? types.join() : `(${types.join(', ')})`}`;
  return graph.emitAll(text, [condition], yes.results, [yes, no], Math.max(yes.flops, no.flops));
}

/** The same values, which the compiler computes together and not again: the boundary of rematerialisation. */
export function optimizationBarrier(values: readonly Value[]): readonly Value[] {
  if (values.length === 0) return values;
  const { graph } = values[0] as Value;
  const text =
    `stablehlo.optimization_barrier ${values.map((value) => value.name).join(', ')} : ` +
    values.map((value) => value.typeText).join(', ');
  return graph.emitAll(text, values, values);
}

/** The same value, laid out over the mesh as said; later uses keep that layout. */
export function shardingConstraint(value: Value, axes: AxisNames): Value {
  const text = `sdy.sharding_constraint ${value.name} <${printSharding(axes, value.shape.length)}> : ${value.typeText}`;
  return value.graph.emit(text, [value], value.type, value.shape);
}
