// Control flow, and what steers the compiler.

import { check } from './check';
import type { Value } from './graph';
import { printSharding, type AxisNames } from './sharding';

/** Repeats `body` on the carried values while `condition` (a scalar i1) holds. Both may use outer values. */
export function whileLoop(
  carried: readonly Value[],
  condition: (...values: Value[]) => Value,
  body: (...values: Value[]) => readonly Value[],
): readonly Value[] {
  const { graph } = carried[0] as Value;
  const test = graph.region(carried, (...values) => [condition(...values)]);
  const step = graph.region(carried, body);
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
  return graph.emitAll(text, carried, carried, [test, step]);
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
