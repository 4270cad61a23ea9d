// Operations whose places are data: gather, scatter, dynamic slices.

import { check } from './check';
import type { Value } from './graph';
import { type Reducer, reducerRegion } from './reduction';
import { describeType, printType, type Shape } from './types';

/** `starts`: one scalar integer for each axis; out-of-range ones are clamped. */
export function dynamicSlice(x: Value, starts: readonly Value[], sizes: Shape): Value {
  check(
    starts.length === x.shape.length && sizes.every((size, i) => size <= x.shape[i]!),
    'dynamic_slice',
    () => `[${sizes.join(', ')}] of ${describeType(x)}`,
  );
  const result = printType({ type: x.type, shape: sizes });
  const all = [x, ...starts];
  const text =
    `stablehlo.dynamic_slice ${all.map((v) => v.name).join(', ')}, sizes = [${sizes.join(', ')}] : ` +
    `(${all.map((v) => v.typeText).join(', ')}) -> ${result}`;
  return x.graph.emit(text, all, x.type, sizes);
}

/** `x` with `update` in the place that begins at `starts`. */
export function dynamicUpdateSlice(x: Value, update: Value, starts: readonly Value[]): Value {
  check(
    update.type === x.type &&
      starts.length === x.shape.length &&
      update.shape.every((size, i) => size <= x.shape[i]!),
    'dynamic_update_slice',
    () => `${describeType(update)} into ${describeType(x)}`,
  );
  const all = [x, update, ...starts];
  const text =
    `stablehlo.dynamic_update_slice ${all.map((v) => v.name).join(', ')} : ` +
    `(${all.map((v) => v.typeText).join(', ')}) -> ${x.typeText}`;
  return x.graph.emit(text, all, x.type, x.shape);
}

export interface GatherAxes {
  /** Axes of the result that run within a slice. */
  readonly offset: readonly number[];
  /** Axes of the operand that a slice lacks: slice size 1. */
  readonly collapsed: readonly number[];
  /** Paired axes of the operand and of the indices. */
  readonly batch?: readonly [operand: readonly number[], indices: readonly number[]];
  /** For each component of an index, the operand's axis that it selects. */
  readonly startIndexMap: readonly number[];
  /** The axis of `indices` whose elements are an index's components. */
  readonly indexVector: number;
}

export function gather(x: Value, indices: Value, axes: GatherAxes, sliceSizes: Shape): Value {
  const batch = axes.batch ?? [[], []];
  const kept = sliceSizes.filter((_, i) => !axes.collapsed.includes(i) && !batch[0].includes(i));
  const outer = indices.shape.filter((_, i) => i !== axes.indexVector);
  check(
    kept.length === axes.offset.length,
    'gather',
    () => `slices [${sliceSizes.join(', ')}] of ${describeType(x)}`,
  );
  const shape: number[] = [];
  let within = 0;
  let between = 0;
  for (let i = 0; i < kept.length + outer.length; i++) {
    shape.push(axes.offset.includes(i) ? kept[within++]! : outer[between++]!);
  }
  const result = printType({ type: x.type, shape });
  const numbers =
    `#stablehlo.gather<offset_dims = [${axes.offset.join(', ')}], collapsed_slice_dims = [${axes.collapsed.join(', ')}], ` +
    `operand_batching_dims = [${batch[0].join(', ')}], start_indices_batching_dims = [${batch[1].join(', ')}], ` +
    `start_index_map = [${axes.startIndexMap.join(', ')}], index_vector_dim = ${axes.indexVector}>`;
  const text =
    `"stablehlo.gather"(${x.name}, ${indices.name}) <{dimension_numbers = ${numbers}, indices_are_sorted = false, ` +
    `slice_sizes = array<i64${sliceSizes.length > 0 ? `: ${sliceSizes.join(', ')}` : ''}>}> : ` +
    `(${x.typeText}, ${indices.typeText}) -> ${result}`;
  return x.graph.emit(text, [x, indices], x.type, shape);
}

export interface ScatterAxes {
  /** Axes of the updates that run within a window. */
  readonly window: readonly number[];
  /** Axes of the operand that a window lacks. */
  readonly inserted: readonly number[];
  /** For each component of an index, the operand's axis. */
  readonly scatterMap: readonly number[];
  readonly indexVector: number;
}

/** `x` with `updates` combined in; `replace` takes the update (for equal places, any of them). */
export function scatter(
  combine: Reducer | 'replace',
  x: Value,
  indices: Value,
  updates: Value,
  axes: ScatterAxes,
): Value {
  check(x.type === updates.type, 'scatter', () => `${describeType(updates)} into ${describeType(x)}`);
  const numbers =
    `#stablehlo.scatter<update_window_dims = [${axes.window.join(', ')}], inserted_window_dims = [${axes.inserted.join(', ')}], ` +
    `scatter_dims_to_operand_dims = [${axes.scatterMap.join(', ')}], index_vector_dim = ${axes.indexVector}>`;
  const t = printType({ type: x.type, shape: [] });
  const region =
    combine === 'replace'
      ? `({\n^bb0(%lhs: ${t}, %rhs: ${t}):\nstablehlo.return %rhs : ${t}\n})`
      : reducerRegion(combine, x.type);
  const text =
    `"stablehlo.scatter"(${x.name}, ${indices.name}, ${updates.name}) <{indices_are_sorted = false, ` +
    `scatter_dimension_numbers = ${numbers}, unique_indices = false}> ${region} : ` +
    `(${x.typeText}, ${indices.typeText}, ${updates.typeText}) -> ${x.typeText}`;
  return x.graph.emit(text, [x, indices, updates], x.type, x.shape);
}

/** The k largest along the last axis, descending, and where they were (i32). */
export function topK(x: Value, k: number): readonly [values: Value, indices: Value] {
  const last = x.shape.length - 1;
  check(last >= 0 && k <= x.shape[last]!, 'chlo.top_k', () => `${k} of ${describeType(x)}`);
  const shape = [...x.shape.slice(0, -1), k];
  const results = [
    { type: x.type, shape },
    { type: 'i32', shape },
  ] as const;
  const text = `chlo.top_k(${x.name}, k = ${k}) : ${x.typeText} -> (${results.map(printType).join(', ')})`;
  return x.graph.emitAll(text, [x], results) as unknown as readonly [Value, Value];
}
